/** Calls that have been made, and those among them that have not returned. */
import type { Call, Result } from "../../call/call.ts";
import { ERRNO } from "../../call/errno.ts";
import { inTurn, placeBeside, waitAnew, type Waiter } from "../../call/waiting.ts";
import type { PendingCall } from "../../lab/world.ts";
import type { PollRequest } from "../../sys/index.ts";
import type { Recorder } from "../../trace/recorder.ts";
import type { LabProcess } from "./process.ts";
import { WOULD_BLOCK, type Performed } from "./socket-calls.ts";

interface Made extends PendingCall {
  result?: Result;
  socket?: string;
  process: LabProcess;
  /** The number of its event. */
  event: number;
}

interface Blocked extends Waiter {
  readonly made: Made;
}

/** What calls come to whose connection is gone since somebody's connect has failed (sk_disconnects). */
const DISCONNECTED: Result = { ok: false, errno: ERRNO.EPIPE, code: "EPIPE" };

export class PendingCalls {
  #blocked: Blocked[] = [];
  readonly #socketOf = new Map<number, string>();

  /**
   * `processes`: all that there are, in the order in which they have begun. `look`: a call has been made, or has gone on;
   * what it may have changed is to be looked at.
   */
  constructor(
    private readonly recorder: Recorder,
    private readonly processes: () => Iterable<LabProcess>,
    private readonly look: (process: LabProcess, call: Call, cause: number) => void,
  ) {}

  /** The socket that the call of this event is about. */
  socketOf(event: number): string | undefined {
    return this.#socketOf.get(event);
  }

  begin(process: LabProcess, call: Call): PendingCall {
    const about = this.#about(process);
    // Made before it is written down: only then is the socket known that it is about.
    const performed = process.perform(call);
    const socket = this.#id(process, performed);
    const isNew = call.name === "socket" || (call.name === "accept" && performed.result !== WOULD_BLOCK);
    const event = this.recorder.call(about, call, isNew ? undefined : socket);
    const made: Made = { call, process, event };
    if (socket !== undefined && call.name !== "accept") this.#note(made, socket);
    this.#go(made, performed);
    return made;
  }

  /** A call that the world itself has answered. */
  done(process: LabProcess, call: Call, result: Result): PendingCall {
    const event = this.recorder.call(this.#about(process), call);
    const made: Made = { call, process, event };
    this.#return(made, result);
    return made;
  }

  #about(process: LabProcess): { name: string; host: string } {
    return { name: process.name, host: process.host.name };
  }

  #id(process: LabProcess, { cookie }: Performed): string | undefined {
    return cookie === undefined ? undefined : this.recorder.idOf(process.host.name, cookie);
  }

  #note(made: Made, socket: string): void {
    made.socket = socket;
    this.#socketOf.set(made.event, socket);
  }

  #return(made: Made, result: Result): void {
    made.result = result;
    this.recorder.result(this.#about(made.process), made.event, result, made.socket);
  }

  /** What a call has come to: it has returned, or it blocks. */
  #go(made: Made, performed: Performed): void {
    const socket = this.#id(made.process, performed);
    if (performed.result === WOULD_BLOCK) {
      const { call } = made;
      const others = this.#blocked.filter((other) => other.socket === socket);
      this.#blocked.push({ made, call, socket: socket!, place: placeBeside(call, others) });
    } else {
      if (socket !== undefined) this.#note(made, socket);
      this.#return(made, performed.result);
    }
    this.look(made.process, made.call, made.event);
  }

  /**
   * Goes on with the calls that blocked, as the kernel would wake them: here they do not sleep, but are made again. True if
   * one has returned.
   */
  retry(): boolean {
    if (this.#blocked.length === 0) return false;
    const inOrder = [...this.processes()].flatMap((process) => {
      // Others died in their calls.
      return process.ending() ? [] : this.#blocked.filter(({ made }) => made.process === process);
    });
    const groups = inTurn(inOrder);
    const left = groups.map((group) => this.#wake(group));
    this.#blocked = left.flat();
    return this.#blocked.length < inOrder.length;
  }

  /** Those that wait on one socket. Returns which of them still do. */
  #wake(group: readonly Blocked[]): Blocked[] {
    const left: Blocked[] = [];
    let isLeft = false;
    for (const waiting of group) {
      const { made, call } = waiting;
      const performed = isLeft ? { result: DISCONNECTED } : made.process.perform(call);
      const { result } = performed;
      if (result === WOULD_BLOCK) {
        left.push(waiting);
        continue;
      }
      this.#go(made, performed);
      if (call.name === "connect" && !result.ok) isLeft = true;
    }
    return left.length < group.length ? waitAnew(left) : left;
  }

  /** What to wait for: a call that blocks may go on when one of these is ready. */
  waitFor(): PollRequest[] {
    return this.#blocked
      .map(({ made: { process }, call }) => process.waitFor(call))
      .filter((request) => request !== undefined);
  }
}
