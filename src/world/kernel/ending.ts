/** How processes end, and waiting for it. */
import type { Ending } from "../../lab/world.ts";
import { childEnding, poll, POLLIN, signalName, type Fd } from "../../sys/index.ts";

/** How long a process may take to end that was told to, milliseconds. */
const PATIENCE_MS = 20_000;

export function endingOf(pidfd: Fd): Ending | undefined {
  const ending = childEnding(pidfd);
  if (!ending) return undefined;
  return "status" in ending
    ? { status: ending.status, signal: null }
    : { status: null, signal: signalName(ending.signal) };
}

/** Waits for the end of a process; all that it had open is closed by then. */
export function awaitEnd(pidfd: Fd, name: string): void {
  if (poll([{ fd: pidfd, events: POLLIN }], PATIENCE_MS)[0] === 0) throw new Error(`${name} does not end`);
}
