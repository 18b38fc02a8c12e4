/** What there is on a host before anybody has made a call. */
import { emptyState, type Host, type State } from "./state.ts";
import { step } from "./step.ts";

/** AirPlay Receiver of macOS 12 and later, unless it is switched off: by its documents, as all of that system. */
const AIRPLAY_PORTS = [5000, 7000];

export function startState(host: Host): State {
  let state = emptyState(host);
  if (host.system !== "macos") return state;
  for (const port of AIRPLAY_PORTS) {
    const socket = `ControlCenter, AirPlay Receiver's ${port}`; // no name that a scenario can have
    state = step(state, { name: "socket", socket, family: "IPv6", uid: 0 }).state;
    state = step(state, { name: "bind", socket, address: "::", port }).state;
    state = step(state, { name: "listen", socket, backlog: 128 }).state;
  }
  return state;
}
