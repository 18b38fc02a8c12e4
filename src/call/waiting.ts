/**
 * Calls that wait on one socket, and who goes on first when something happens to it. Linux keeps them in one list
 * (sk_sleep). An accept waits at its end, and a connection wakes one of them (inet_csk_wait_for_connect). All others come to
 * its head and are woken together; a read that finds nothing comes to the head again (sk_wait_data). So the last that has
 * blocked goes on first where there is one processor; with more it does mostly, since they race.
 */
import type { Call } from "./call.ts";

export interface Waiter {
  readonly call: Call;
  /** What it waits on. */
  readonly socket: string;
  /** Of two that wait on one socket, the lower is woken first. */
  readonly place: number;
}

/** The place of a call that begins to wait on a socket beside these. */
export function placeBeside(call: Call, others: readonly Waiter[]): number {
  if (others.length === 0) return 0;
  const places = others.map(({ place }) => place);
  return call.name === "accept" ? Math.max(...places) + 1 : Math.min(...places) - 1;
}

/** Those that wait on one socket together, in the order in which they are woken; sockets as the first of them stands. */
export function inTurn<W extends Waiter>(waiters: readonly W[]): W[][] {
  const groups = new Map<string, W[]>();
  for (const waiter of waiters) {
    const group = groups.get(waiter.socket);
    if (group) group.push(waiter);
    else groups.set(waiter.socket, [waiter]);
  }
  return [...groups.values()].map((group) => group.sort((a, b) => a.place - b.place));
}

/** Some of a socket's waiters have gone on: the places of those that still wait, in the order in which they were woken. */
export function waitAnew<W extends Waiter>(waiters: readonly W[]): W[] {
  let all = [...waiters];
  waiters.forEach((waiter, i) => {
    if (waiter.call.name === "read") all = all.with(i, { ...waiter, place: placeBeside(waiter.call, all) });
  });
  return all;
}
