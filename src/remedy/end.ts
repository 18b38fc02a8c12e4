/**
 * Ends processes, and only these: a pidfd stands for the process whatever becomes of its number, and what was to be ended
 * for holding a socket must hold it still.
 */
import { readdirSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { HolderProcess } from "../diagnose/facts.ts";
import { processText } from "../diagnose/words.ts";
import { Fd, pidfdOpen, pidfdSendSignal, poll, POLLIN, SyscallError } from "../sys/index.ts";
import type { Victim } from "./plan.ts";

const [SIGKILL, SIGTERM, SIGCONT] = [9, 15, 18];
const LOOK_EVERY_MS = 10;
/** How long after SIGKILL the kernel may need; a process in a call that can't be interrupted stays longer. */
const KILL_PATIENCE_MS = 5000;

/** What becomes of a process that is to be ended. */
export type Progress =
  | { kind: "signalled"; process: HolderProcess; signal: "SIGTERM" | "SIGKILL" }
  | { kind: "ended"; process: HolderProcess; afterMs: number };

/** None was ended: one of them may not be, or is not what it was. */
export class NotEnded extends Error {
  override readonly name = "NotEnded";
  constructor(
    message: string,
    /** An errno's name, `EPERM` for a missing permission; ESTALE: it has let go of the socket, or ended, since the look. */
    readonly code: string,
  ) {
    super(message);
  }
}

interface Target {
  victim: Victim;
  pidfd: Fd;
  ended: boolean;
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Descriptor `fd` of a process, or, where its first thread has ended, of another of its threads. */
function refersTo(pid: number, fd: number, inode: number): boolean {
  const wanted = `socket:[${inode}]`;
  if (linkOf(`/proc/${pid}/fd/${fd}`) === wanted) return true;
  try {
    return readdirSync(`/proc/${pid}/task`).some((tid) => linkOf(`/proc/${pid}/task/${tid}/fd/${fd}`) === wanted);
  } catch {
    return false; // it has ended
  }
}

function holdsStill({ process, sockets }: Victim): boolean {
  const own = sockets.flatMap(({ inode, holders }) =>
    holders.filter(({ pid }) => pid === process.pid).map(({ fd }) => ({ fd, inode })),
  );
  return own.length === 0 || own.some(({ fd, inode }) => refersTo(process.pid, fd, inode));
}

function hasEnded({ pidfd }: Target): boolean {
  const [events = 0] = poll([{ fd: pidfd, events: POLLIN }], 0);
  return (events & POLLIN) !== 0;
}

/** Opens the processes, and makes sure that each may be signalled and is what it was. All of them, or it throws. */
function open(victims: readonly Victim[]): Target[] {
  const targets: Target[] = [];
  try {
    for (const victim of victims) {
      const text = processText(victim.process);
      try {
        const target = { victim, pidfd: pidfdOpen(victim.process.pid), ended: false };
        targets.push(target);
        pidfdSendSignal(target.pidfd, 0);
        // The order matters: the pidfd is open, so what /proc shows under the number was this process if it runs still.
        if (!holdsStill(victim) || hasEnded(target)) {
          throw new NotEnded(`${text} has let go of the port since it was looked at; nothing was ended`, "ESTALE");
        }
      } catch (error) {
        if (!(error instanceof SyscallError)) throw error;
        if (error.code === "ESRCH") throw new NotEnded(`${text} has ended since; nothing was ended`, "ESTALE");
        throw new NotEnded(`${text} may not be ended (${error.message}); nothing was ended`, error.code);
      }
    }
    return targets;
  } catch (error) {
    for (const { pidfd } of targets) pidfd.close();
    throw error;
  }
}

/** Sends a signal to those that run still; one may end at any moment. */
function signal(target: Target, number: number): void {
  try {
    pidfdSendSignal(target.pidfd, number);
  } catch (error) {
    if (!(error instanceof SyscallError) || error.code !== "ESRCH") throw error;
  }
}

export interface EndOptions {
  /** How long after SIGTERM SIGKILL follows, milliseconds. */
  forceAfterMs: number;
  /** Aborted: nothing more is sent, and nobody is waited for. */
  abort?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

class Ending {
  readonly #startMs = performance.now();

  constructor(
    private readonly targets: readonly Target[],
    private readonly options: EndOptions,
  ) {}

  get running(): Target[] {
    return this.targets.filter(({ ended }) => !ended);
  }

  tell(progress: Progress): void {
    this.options.onProgress?.(progress);
  }

  #look(): void {
    for (const target of this.running) {
      if (!hasEnded(target)) continue;
      target.ended = true;
      this.tell({ kind: "ended", process: target.victim.process, afterMs: performance.now() - this.#startMs });
    }
  }

  /** Until all have ended, or the time is over. */
  async wait(ms: number): Promise<void> {
    const untilMs = performance.now() + ms;
    for (;;) {
      this.#look();
      if (this.running.length === 0 || this.options.abort?.aborted || performance.now() >= untilMs) return;
      await sleep(LOOK_EVERY_MS);
    }
  }

  terminate(): void {
    for (const target of this.targets) {
      const { process } = target.victim;
      // A process whose first thread has ended takes no other signal seriously.
      const isZombie = process.state === "Z";
      signal(target, isZombie ? SIGKILL : SIGTERM);
      if (process.state === "T") signal(target, SIGCONT); // it would not notice before
      this.tell({ kind: "signalled", process, signal: isZombie ? "SIGKILL" : "SIGTERM" });
    }
  }

  kill(): void {
    for (const target of this.running) {
      signal(target, SIGKILL);
      this.tell({ kind: "signalled", process: target.victim.process, signal: "SIGKILL" });
    }
  }
}

/**
 * Ends these processes, in this order, and waits for their end. Returns those that still run. Throws {@link NotEnded},
 * before any signal is sent, if one of them may not be ended or is not what it was.
 */
export async function endProcesses(victims: readonly Victim[], options: EndOptions): Promise<HolderProcess[]> {
  const targets = open(victims);
  try {
    const ending = new Ending(targets, options);
    if (options.abort?.aborted) return victims.map(({ process }) => process);
    ending.terminate();
    await ending.wait(options.forceAfterMs);
    if (ending.running.length > 0 && !options.abort?.aborted) {
      ending.kill();
      await ending.wait(KILL_PATIENCE_MS);
    }
    return ending.running.map(({ victim }) => victim.process);
  } finally {
    for (const { pidfd } of targets) pidfd.close();
  }
}
