import { proposeFree } from "../remedy/free.ts";
import { attemptFree, freedPort, freeStep, type Attempt, type FreedPort, type FreeStep } from "../remedy/freed-port.ts";
import { asksOf, type Where } from "./where.ts";

/** @public */
export interface FreeOptions {
  /** Only says what would be done: see `plan`. */
  dryRun?: boolean;
  /** Ends processes of this program only; where others hold the port, nothing is done. */
  only?: string;
  /** Destroys connections that programs here opened from the port, too. */
  connections?: boolean;
  /** Goes ahead where care says no: PID 1, the sshd of this login, container engines, services that would come back. */
  force?: boolean;
  /** How long after SIGTERM SIGKILL follows, milliseconds; by default 5000. */
  forceAfterMs?: number;
  /** Aborted: nothing more is done; what has been stays done, and is told. */
  signal?: AbortSignal;
  /** After each step. */
  onStep?: (step: FreeStep) => void;
}

/** How a port was freed. @public */
export type Freed = FreedPort & {
  /** Whether the port can be bound now. */
  free: boolean;
};

/**
 * Ends the processes that keep a port from being bound, all or none and nobody else, and removes what the kernel keeps of
 * their connections: what `lastack free --yes` does, with nobody asked. What is in the way of doing it is in
 * `plan.refusals`, and then nothing is done; the calling process and its parents are never ended.
 *
 * Throws `SyscallError` or `NetlinkError` if the kernel refuses to list its sockets.
 *
 * @public
 */
export async function free(where: number | Where, options: FreeOptions = {}): Promise<Freed> {
  const { dryRun = false, only, connections, force, forceAfterMs, signal, onStep } = options;
  const proposal = proposeFree(asksOf(where), {
    ...(only !== undefined && { only }),
    ...(connections !== undefined && { connections }),
    ...(force !== undefined && { force }),
  });
  const attempt: Attempt = { proposal, did: [] };
  const isFree = () => (attempt.freed?.after ?? proposal.before).diagnosis.answer === "free";
  const { refusals, victims, sockets } = proposal.plan;
  const isNothing = isFree() && victims.length + sockets.length === 0;
  if (!dryRun && refusals.length === 0 && !isNothing) {
    await attemptFree(attempt, proposal.plan, {
      ...(forceAfterMs !== undefined && { forceAfterMs }),
      ...(signal && { abort: signal }),
      onProgress: (progress) => {
        attempt.did.push(progress);
        onStep?.(freeStep(progress));
      },
    });
  }
  return { ...freedPort(attempt), free: isFree() };
}
