/**
 * Prepares a running server for its successor: sets SO_REUSEADDR on its sockets from outside. What is left of them when it
 * ends keeps the option, and is then no obstacle to a bind that sets it too.
 */
import type { HolderProcess, PortSocket } from "../diagnose/facts.ts";
import { setReuseAddress } from "../linux/borrow.ts";
import { collectFacts } from "../linux/facts.ts";
import { SyscallError } from "../sys/index.ts";

/** Connections can come while the listener is being set: those that came before are looked for again. */
const PASSES = 3;

/** A socket that a process has, and what became of it. */
export interface Prepared {
  socket: PortSocket;
  /** Who has it; undefined where that can't be seen. */
  process?: HolderProcess | undefined;
  /** Its SO_REUSEADDR before, undefined where it may not be read; and now, as read back. */
  before: boolean | undefined;
  after: boolean | undefined;
  /** Why it could not be set, an errno's name: `EPERM` also where the process may not be looked into. */
  refused?: string;
}

export interface Reuse {
  port: number;
  /** Every socket of the port that a process has. */
  live: readonly Prepared[];
  /** Connections that nobody has accepted yet: no process has them, so none can lend them. */
  waiting: readonly PortSocket[];
  /** What the kernel alone keeps: it stays as it is. */
  leftovers: readonly PortSocket[];
}

type Seen = ReturnType<typeof collectFacts>["facts"];

/** Connections in a listener's queue are open, and of no process. What has been closed is in other states. */
const isWaiting = ({ inode, state }: PortSocket) => inode === 0 && (state === "ESTABLISHED" || state === "CLOSE-WAIT");

/** A connection that is not complete gets its options from the listener when it is. */
const isLeftover = (socket: PortSocket) =>
  socket.inode === 0 && socket.peer.port !== 0 && socket.state !== "SYN-RECEIVED" && !isWaiting(socket);

function prepare(facts: Seen, socket: PortSocket, dryRun: boolean): Prepared {
  const before = socket.options?.reuseAddress;
  const [holder] = socket.holders;
  const prepared: Prepared = { socket, process: holder && facts.processes.get(holder.pid), before, after: before };
  if (!holder)
    return { ...prepared, refused: facts.unreadable.length > 0 || facts.hidden === "hidepid" ? "EPERM" : "ENOENT" };
  if (before === true) return prepared;
  if (dryRun) return before === undefined ? { ...prepared, refused: "EPERM" } : prepared;
  let refused = "ESTALE"; // the descriptor is another socket's by now
  for (const one of socket.holders) {
    try {
      const after = setReuseAddress(one, socket.inode);
      if (after !== undefined) return { ...prepared, process: facts.processes.get(one.pid), after };
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      refused = error.code;
    }
  }
  return { ...prepared, refused };
}

const byState = (a: PortSocket, b: PortSocket) => Number(b.state === "LISTEN") - Number(a.state === "LISTEN");

/** Sets SO_REUSEADDR on every socket of the port that a process has, listeners first. With `dryRun`, only looks. */
export function prepareReuse(port: number, { dryRun = false } = {}): Reuse {
  const done = new Map<number, Prepared>();
  for (let pass = 1; ; pass++) {
    const { facts } = collectFacts(port, [], { rare: false });
    const live = facts.sockets.filter(({ inode }) => inode !== 0).sort(byState);
    const fresh = live.filter(({ inode }) => !done.has(inode));
    for (const socket of fresh) done.set(socket.inode, prepare(facts, socket, dryRun));
    if (fresh.length > 0 && !dryRun && pass < PASSES) continue;
    const isThere = new Set(live.map(({ inode }) => inode));
    return {
      port,
      live: [...done.values()].filter(({ socket, refused }) => refused === undefined || isThere.has(socket.inode)),
      waiting: facts.sockets.filter(isWaiting),
      leftovers: facts.sockets.filter(isLeftover),
    };
  }
}
