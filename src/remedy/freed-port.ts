/** How freeing a port went, as docs/json.md describes it: plain data, for JSON and for programs. */
import type { Diagnosis } from "../diagnose/diagnose.ts";
import type { PortSocket } from "../diagnose/facts.ts";
import type { Remedy } from "../diagnose/finding.ts";
import type { Along } from "./along.ts";
import { NotEnded } from "./end.ts";
import { carryOut, type CarryOutOptions, type Freed, type FreeProgress, type Proposal } from "./free.ts";
import { look, type Look } from "./look.ts";
import type { FreePlan, Refusal } from "./plan.ts";

/** What was proposed for a port, and what came of it. */
export interface Attempt {
  proposal: Proposal;
  did: FreeProgress[];
  freed?: Freed;
  /** None was ended; with `freed`, which tells how the port is all the same, if one had ended before. */
  error?: NotEnded;
}

/** Carries this plan out, and notes what came of it. */
export async function attemptFree(attempt: Attempt, plan: FreePlan, options: CarryOutOptions): Promise<void> {
  const { proposal } = attempt;
  try {
    attempt.freed = await carryOut({ ...proposal, plan }, options);
  } catch (error) {
    if (!(error instanceof NotEnded)) throw error;
    attempt.error = error;
    // Somebody else may have ended it: then there is nothing left to do.
    if (error.code === "ESTALE") attempt.freed = { running: [], after: look(proposal.asks, { probe: true }) };
  }
}

/** How a port is at one moment. @public */
export interface PortState {
  answer: Diagnosis["answer"];
  headline: string;
  /** When all that blocks is over by itself, ISO 8601. */
  freeAt: string | null;
}

/** What is done, as it is done. @public */
export type FreeStep =
  | { kind: "signalled"; signal: "SIGTERM" | "SIGKILL"; pid: number; program: string }
  | { kind: "ended"; afterMs: number; pid: number; program: string }
  | { kind: "destroyed"; sockets: number };

/** @public */
export interface FreedPort {
  port: number;
  before: PortState;
  plan: {
    /** In the order in which they get their signal, with what else of theirs goes. */
    processes: ({ pid: number; program: string; user: string; because?: string } & Partial<Along>)[];
    /** Kept by the kernel alone. */
    sockets: Pick<PortSocket, "state" | "local" | "peer">[];
    /** Where there is any, nothing is done. */
    refusals: { reason: string; remedies: readonly Remedy[]; needsPermission: boolean }[];
  };
  did: FreeStep[];
  /** Processes that were to end and have not. */
  running: { pid: number; program: string }[];
  /** None was ended: one of them may not be (EPERM), or is not what it was (ESTALE). */
  error: { message: string; code: string } | null;
  /** Why sockets that are the kernel's alone could not be removed: an errno's name. */
  destroyRefused: string | null;
  /** null if nothing was done. */
  after: PortState | null;
}

const stateOf = ({ diagnosis: { answer, headline, freeAtMs } }: Look): PortState => ({
  answer,
  headline,
  freeAt: freeAtMs === undefined ? null : new Date(freeAtMs).toISOString(),
});

export function freeStep(progress: FreeProgress): FreeStep {
  if (progress.kind === "destroyed") return progress;
  const { process, ...rest } = progress;
  return { ...rest, pid: process.pid, program: process.program };
}

const refusalObject = ({ reason, remedies, needsPermission = false }: Refusal) => ({
  reason,
  remedies,
  needsPermission,
});

export function freedPort({ proposal: { before, plan, along }, did, freed, error }: Attempt): FreedPort {
  const processes = plan.victims.map(({ process: { pid, program, user }, because }) => ({
    pid,
    program,
    user,
    ...(because !== undefined && { because }),
    ...along.get(pid),
  }));
  const sockets = plan.sockets.map(({ state, local, peer }) => ({ state, local, peer }));
  return {
    port: plan.port,
    before: stateOf(before),
    plan: { processes, sockets, refusals: plan.refusals.map(refusalObject) },
    did: did.map(freeStep),
    running: (freed?.running ?? []).map(({ pid, program }) => ({ pid, program })),
    error: error ? { message: error.message, code: error.code } : null,
    destroyRefused: freed?.destroyRefused ?? null,
    after: freed ? stateOf(freed.after) : null,
  };
}
