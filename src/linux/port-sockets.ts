/** The sockets on a port. */
import { ALL_STATES_MASK, LISTEN_MASK } from "../codec/state.ts";
import { isCrowded } from "./crowd.ts";
import type { SocketTable } from "./socket-table.ts";
import { readSockets, readSocketsMeanwhile, type SocketQuery } from "./sockets.ts";

const onPort = (port: number, states = ALL_STATES_MASK): SocketQuery => ({
  states,
  filter: { kind: "port", side: "local", port },
});

export function readPort(port: number): SocketTable {
  return readSockets(onPort(port));
}

/** The listeners alone: the kernel has them in a table of their own, which is short. */
export function readListeners(port: number): SocketTable {
  return readSockets(onPort(port, LISTEN_MASK));
}

/** Has the kernel begin with it while this thread goes on, where there is enough to do meanwhile; else undefined. */
export function walkAhead(port: number): Promise<SocketTable> | undefined {
  if (process.geteuid?.() !== 0 || !isCrowded()) return undefined;
  const walk = readSocketsMeanwhile(onPort(port));
  walk.catch(() => {}); // whoever awaits it gets the error; perhaps nobody does
  return walk;
}
