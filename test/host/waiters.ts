/** What becomes of three calls that wait on one socket: the same in the model and, as fixtures/waiters.c asks it, on Linux. */
import type { Call, Result } from "../../src/call/call.ts";
import { CLIENT, HostPair, PORT } from "./pair.ts";

export const CALLERS = ["first", "second", "third"];

/** Those of the callers that have returned, in order, with a count or an errno below zero. */
export function returns({ returned }: HostPair): string[] {
  const told = ([name, result]: [string, Result]) => `${name} ${result.ok ? result.value : -result.errno}`;
  return [...returned].filter(([name]) => CALLERS.includes(name)).map(told);
}

/** Three processes with the server's descriptors, the last of them begun first, make the call one after another. */
export function block(pair: HostPair, call: Call): void {
  for (const child of CALLERS.toReversed()) pair.must("server", { name: "fork", child });
  for (const name of CALLERS) {
    const result = pair.call(name, call);
    if (result) throw new Error(`${call.name} of ${name} does not block`);
  }
  pair.returned.clear();
}

export function blockInAccept(): { pair: HostPair; fd: number } {
  const pair = new HostPair();
  const fd = pair.listen();
  block(pair, { name: "accept", fd });
  return { pair, fd };
}

export function blockInRead(length = 10): { pair: HostPair; here: number } {
  const pair = new HostPair();
  const { here, there } = pair.connected();
  block(pair, { name: "read", fd: there, length });
  return { pair, here };
}

/** `listener`: the client's; nothing reaches it so far. */
function blockInConnect(): { pair: HostPair; listener: number } {
  const pair = new HostPair();
  const listener = pair.listen("client");
  const fd = pair.must("server", { name: "socket", family: "IPv4" });
  pair.drops = () => true;
  block(pair, { name: "connect", fd, address: CLIENT, port: PORT });
  return { pair, listener };
}

function reachesAtLast(pair: HostPair): HostPair {
  pair.drops = () => false;
  pair.pass(2_000_000);
  return pair;
}

export function abort(pair: HostPair, fd: number): void {
  pair.must("client", { name: "setsockopt", fd, option: "SO_LINGER", value: 0 });
  pair.must("client", { name: "close", fd });
}

export interface Waiting {
  /** As fixtures/waiters.c calls it. */
  name: string;
  what: string;
  returns: readonly string[];
  inModel(): HostPair;
}

export const WAITING: readonly Waiting[] = [
  {
    name: "accept",
    what: "who has waited longest gets the connection",
    returns: ["first 0", "second 0", "third 0"],
    inModel() {
      const { pair } = blockInAccept();
      for (let i = 0; i < 3; i++) pair.connect();
      // The number of the descriptor is not the point.
      for (const [name, result] of pair.returned) if (result.ok) pair.returned.set(name, { ok: true, value: 0 });
      return pair;
    },
  },
  {
    name: "accept-end",
    what: "that the listener listens no more is told to each",
    returns: ["first -22", "second -22", "third -22"],
    inModel() {
      const { pair, fd } = blockInAccept();
      pair.must("server", { name: "shutdown", fd, how: "read" });
      return pair;
    },
  },
  {
    name: "read",
    what: "who came last gets the data, and the others change places",
    returns: ["third 3", "first 3", "second 3"],
    inModel() {
      const { pair, here } = blockInRead();
      for (let i = 0; i < 3; i++) pair.must("client", { name: "write", fd: here, data: "abc" });
      return pair;
    },
  },
  {
    name: "read-end",
    what: "the end of the stream is told to all",
    returns: ["third 0", "second 0", "first 0"],
    inModel() {
      const { pair, here } = blockInRead();
      pair.must("client", { name: "shutdown", fd: here, how: "write" });
      return pair;
    },
  },
  {
    name: "read-reset",
    what: "a reset is told once",
    returns: ["third -104", "second 0", "first 0"],
    inModel() {
      const { pair, here } = blockInRead();
      abort(pair, here);
      return pair;
    },
  },
  {
    name: "connect",
    what: "all wait for the same connection",
    returns: ["third 0", "second 0", "first 0"],
    inModel: () => reachesAtLast(blockInConnect().pair),
  },
  {
    name: "connect-refused",
    what: "why there is no connection is told once; with it goes what else waits for it",
    returns: ["third -111", "second -32", "first -32"],
    inModel() {
      const { pair, listener } = blockInConnect();
      pair.must("client", { name: "close", fd: listener });
      return reachesAtLast(pair);
    },
  },
];
