/** What becomes of a modelled host's sockets: seen as sock_diag would list them, after everything that may change them. */
import { seeSockets, type Host } from "../../host/index.ts";
import type { Recorder, SocketSight } from "../../trace/recorder.ts";

/** Milliseconds, as the kernel tells of timers. */
const leftMs = (atUs: number, nowUs: number) => Math.max(0, Math.round((atUs - nowUs) / 1000));

/**
 * Looks at all sockets of a host. `bound`: also at those that have a port and nothing else, which is what the kernel world
 * does. Returns the event of a timer that went off, if one did.
 */
export function look(
  recorder: Recorder,
  name: string,
  host: Host,
  cause: number | undefined,
  bound = false,
): number | undefined {
  const known = recorder.keysOf(name);
  const withBound = bound || known.some(([, { state }]) => state === "BOUND");
  const nowUs = recorder.nowUs();
  const sights: SocketSight[] = [];
  const seen = new Set<string>();
  const views = [...seeSockets(host)];
  for (const { id, timer, ...rest } of views) {
    // A socket whose connection rests in TIME-WAIT may be bound again, under the same name.
    const isHidden = !withBound || views.some((other) => other.id === id && other.state !== "BOUND");
    if (rest.state === "BOUND" && isHidden) continue;
    seen.add(id);
    const left = timer && { timer: { kind: timer.kind, leftMs: leftMs(timer.atUs, nowUs) } };
    sights.push({ ...rest, key: id, ...left });
  }
  for (const [key] of known) if (!seen.has(key)) recorder.lost(name, key, cause);
  let wentOff: number | undefined;
  for (const sight of sights) wentOff = recorder.saw(name, sight, cause) ?? wentOff;
  return wentOff;
}
