/** Calls that have been made, and those among them that have not returned. */
import type { Call, Result } from "../../call/call.ts";
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

export class PendingCalls {
  #blocked: Made[] = [];
  readonly #socketOf = new Map<number, string>();

  /** `look`: a call has been made, or has gone on; what it may have changed is to be looked at. */
  constructor(
    private readonly recorder: Recorder,
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
    if (performed.result === WOULD_BLOCK) {
      this.#blocked.push(made);
    } else {
      const socket = this.#id(made.process, performed);
      if (socket !== undefined) this.#note(made, socket);
      this.#return(made, performed.result);
    }
    this.look(made.process, made.call, made.event);
  }

  /** Goes on with the calls that blocked. True if one has returned. */
  retry(): boolean {
    const blocked = this.#blocked;
    this.#blocked = [];
    let returned = false;
    for (const made of blocked) {
      if (made.process.ending()) continue; // it died in its call
      const performed = made.process.perform(made.call);
      if (performed.result === WOULD_BLOCK) {
        this.#blocked.push(made);
        continue;
      }
      this.#go(made, performed);
      returned = true;
    }
    return returned;
  }

  /** What to wait for: a call that blocks may go on when one of these is ready. */
  waitFor(): PollRequest[] {
    return this.#blocked.map(({ process, call }) => process.waitFor(call)).filter((request) => request !== undefined);
  }
}
