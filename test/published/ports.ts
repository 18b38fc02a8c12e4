/** How many connections a second a client can make from one address to one endpoint: its ports, each used again after 60 s. */
import { PLAIN_HOST, emptyState, type State } from "../../src/bind/state.ts";
import type { Request } from "../../src/bind/requests.ts";
import { step } from "../../src/bind/step.ts";
import { LINUX } from "../../src/tcp/index.ts";

export const TIME_WAIT_S = LINUX.timeWaitUs / 1_000_000;

/** How many ports Linux's default range has. */
export function defaultPorts(): number {
  const [low, high] = PLAIN_HOST.portRange;
  return high - low + 1;
}

export interface Exhausted {
  /** Connections that were made to the endpoint, each closed by the client, until one was refused. */
  made: number;
  /** The refusal's errno. */
  code: string | undefined;
  /** What a connection to another endpoint gets after that. */
  elsewhere: string;
}

/** A client with so many ports connects to one endpoint until it can't any more, by the rules of `src/bind`. */
export function exhaust(ports: number): Exhausted {
  let state: State = emptyState({ portRange: [40_000, 40_000 + ports - 1] });
  const make = (request: Request) => {
    const taken = step(state, request);
    ({ state } = taken);
    return taken.answer;
  };
  const connect = (socket: string, address: string) => {
    make({ name: "socket", socket, family: "IPv4", uid: 0 });
    return make({ name: "connect", socket, address, port: 80 });
  };
  make({ name: "socket", socket: "server", family: "IPv4", uid: 0 });
  make({ name: "bind", socket: "server", address: "0.0.0.0", port: 80 });
  make({ name: "listen", socket: "server", backlog: 1 });
  for (let made = 0; ; made++) {
    const answer = connect(`client ${made}`, "127.0.0.1");
    if (answer.outcome !== "granted") {
      return { made, code: answer.code, elsewhere: connect("another", "127.0.0.2").outcome };
    }
    make({ name: "accept", socket: "server", as: `accepted ${made}`, uid: 0 });
    make({ name: "close", socket: `client ${made}` });
    make({ name: "close", socket: `accepted ${made}` });
  }
}
