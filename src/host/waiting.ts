/** The calls of a host that have blocked. */
import type { BlockedCall, Host } from "./host.ts";

export type WaitingCall = BlockedCall & { readonly process: string };

/** In the order of processes and calls. */
export function waiters(host: Host): WaitingCall[] {
  const all: WaitingCall[] = [];
  for (const { name: process, blocked } of host.processes.values()) {
    for (const waiting of blocked) all.push({ ...waiting, process });
  }
  return all;
}

/** How many are woken before this one, of those that wait on the same socket. */
export function turnOf({ socket, place }: BlockedCall, all: readonly WaitingCall[]): number {
  return all.filter((other) => other.socket === socket && other.place < place).length;
}
