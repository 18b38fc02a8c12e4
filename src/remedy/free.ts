/**
 * Frees a port: a look, a plan that is shown before anything happens, the plan carried out and nothing else, and another
 * look that says whether the port can be bound now.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseIp } from "../codec/address.ts";
import { stateMask } from "../codec/state.ts";
import type { Ask } from "../diagnose/diagnose.ts";
import type { HolderProcess, PortSocket } from "../diagnose/facts.ts";
import { destroySockets } from "../linux/destroy.ts";
import { holderProcess } from "../linux/facts.ts";
import { NetlinkError } from "../linux/netlink-error.ts";
import { decodeRows } from "../linux/socket-table.ts";
import { readSockets } from "../linux/sockets.ts";
import { goesAlong, type Along } from "./along.ts";
import { endProcesses, type Progress } from "./end.ts";
import { look, type Look } from "./look.ts";
import { planFree, type FreeOptions, type FreePlan } from "./plan.ts";

export const FORCE_AFTER_MS = 5000;
/** What a program's end leaves behind comes and goes within this time. */
const AFTERMATH_MS = 1000;
const LOOK_EVERY_MS = 10;

/** A look at a port and what freeing it would take. */
export interface Proposal {
  asks: readonly Ask[];
  before: Look;
  plan: FreePlan;
  /** What goes with each process that would end, by pid. */
  along: ReadonlyMap<number, Along>;
}

/** Whether somebody listens on this end, on this host. */
function listensAt({ address, port }: PortSocket["peer"]): boolean {
  const table = readSockets({ states: stateMask("LISTEN"), filter: { kind: "port", side: "local", port } });
  const wanted = parseIp(address);
  return decodeRows(table).some(
    ({ source }) => source.every((byte) => byte === 0) || (wanted !== undefined && source.join() === wanted.join()),
  );
}

/** Looks, and says what freeing the port would take. Nothing is touched. */
export function proposeFree(asks: readonly Ask[], options: FreeOptions = {}): Proposal {
  const before = look(asks, { probe: true });
  const plan = planFree(before, options, { self: process.pid, loadProcess: holderProcess, listensAt });
  const along = goesAlong(
    plan.victims.map(({ process: { pid } }) => pid),
    plan.port,
  );
  return { asks, before, plan, along };
}

export type FreeProgress = Progress | { kind: "destroyed"; sockets: number };

export interface CarryOutOptions {
  forceAfterMs?: number;
  abort?: AbortSignal;
  onProgress?: (progress: FreeProgress) => void;
}

export interface Freed {
  /** Processes that were to end and have not. */
  running: readonly HolderProcess[];
  /** Why sockets that are the kernel's alone could not be removed: an errno's name. */
  destroyRefused?: string;
  /** How the port is now. */
  after: Look;
}

/** The sockets of a look by what the kernel needs to destroy them. Returns how many are gone. */
function destroy(seen: Look, sockets: readonly PortSocket[]): number {
  const cookies = new Set(sockets.map(({ cookie }) => cookie));
  return destroySockets(decodeRows(seen.table).filter(({ cookie }) => cookie !== 0n && cookies.has(cookie)));
}

/** Sockets in the way. */
function blockersOf({ diagnosis }: Look): PortSocket[] {
  return diagnosis.asks.flatMap(({ answer }) => (answer.outcome === "granted" ? [] : answer.blockers));
}

/**
 * What the end of the processes has left on the port, as it comes: their connections close, and become TIME-WAIT. Removed
 * until the port is free, or nothing more comes of it. Meanwhile bind has been refused with no socket listed on the port,
 * once, for a cause that is not known: so a refusal by nothing is asked about again, ever more rarely, since each time takes
 * a bind.
 */
async function clearAftermath(asks: readonly Ask[], tell: (sockets: number) => void): Promise<Look> {
  const untilMs = performance.now() + AFTERMATH_MS;
  for (let pauseMs = LOOK_EVERY_MS; ; pauseMs *= 2) {
    const seen = look(asks, { probe: true });
    const blockers = blockersOf(seen);
    const left = blockers.filter(({ inode, peer }) => inode === 0 && peer.port !== 0);
    if (left.length > 0) tell(destroy(seen, left));
    const goesOn = left.length > 0 || blockers.length === 0;
    if (seen.diagnosis.answer === "free" || !goesOn || performance.now() + pauseMs >= untilMs) return seen;
    await sleep(pauseMs);
  }
}

/**
 * Carries a plan out. Throws `TypeError` for one that has refusals, and `NotEnded` if a process may not be ended, or is not
 * what it was when it was looked at: then none has been sent a signal.
 */
export async function carryOut({ asks, before, plan }: Proposal, options: CarryOutOptions = {}): Promise<Freed> {
  if (plan.refusals.length > 0) throw new TypeError(plan.refusals[0]!.reason);
  const { forceAfterMs = FORCE_AFTER_MS, abort, onProgress } = options;
  const running = plan.victims.length > 0 ? await endProcesses(plan.victims, { forceAfterMs, abort, onProgress }) : [];
  const tell = (sockets: number) => sockets > 0 && onProgress?.({ kind: "destroyed", sockets });
  // /proc, which is read then, knows no cookies.
  let destroyRefused = plan.sockets.length > 0 && before.table.denied !== undefined ? "EPERM" : undefined;
  let after: Look | undefined;
  if (running.length === 0 && !abort?.aborted) {
    try {
      tell(destroy(before, plan.sockets));
      after = await clearAftermath(asks, tell);
    } catch (error) {
      if (!(error instanceof NetlinkError)) throw error;
      destroyRefused = error.code;
    }
  }
  after ??= look(asks, { probe: true });
  return { running, after, ...(destroyRefused !== undefined && { destroyRefused }) };
}
