/** The calls of modelled processes: made, written down, and gone on with. */
import type { Call, Result } from "../../call/call.ts";
import { makeCall, resumeCalls } from "../../host/index.ts";
import type { PendingCall } from "../../lab/world.ts";
import type { Recorder } from "../../trace/recorder.ts";
import type { ModelHost, ModelProcess } from "./model-world.ts";

interface Made extends PendingCall {
  result?: Result;
  socket?: string;
  process: ModelProcess;
  /** The number of its event. */
  event: number;
}

export class ModelCalls {
  /** By process and the number of the blocked call. */
  readonly #blocked = new Map<string, Map<number, Made>>();

  /** `look`: a call has been made, or has gone on; what it may have changed is to be looked at. */
  constructor(
    private readonly recorder: Recorder,
    private readonly look: (host: ModelHost, call: Call, cause: number) => void,
  ) {}

  begin(process: ModelProcess, call: Call): PendingCall {
    const { name, host } = process;
    const about = { name, host: host.name };
    const { result, blocked, socket: key } = makeCall(host.model, this.recorder.nowUs(), name, call);
    const socket = key === undefined ? undefined : this.recorder.idOf(host.name, key);
    const isNew = call.name === "socket" || (call.name === "accept" && result !== null);
    const event = this.recorder.call(about, call, isNew ? undefined : socket);
    const made: Made = { call, process, event, ...(socket !== undefined && call.name !== "accept" && { socket }) };
    if (result === null) {
      const waiting = this.#blocked.get(name) ?? new Map<number, Made>();
      this.#blocked.set(name, waiting.set(blocked!, made));
    } else {
      this.#return(made, result, socket);
    }
    this.look(host, call, event);
    return made;
  }

  #return(made: Made, result: Result, socket: string | undefined): void {
    const { process, event } = made;
    if (socket !== undefined) made.socket = socket;
    made.result = result;
    this.recorder.result({ name: process.name, host: process.host.name }, event, result, made.socket);
  }

  /** Goes on with the calls of a host that blocked. True if one has returned. */
  resume(host: ModelHost): boolean {
    const returned = resumeCalls(host.model, this.recorder.nowUs());
    for (const { process, blocked, result, socket: key } of returned) {
      const waiting = this.#blocked.get(process)!;
      const made = waiting.get(blocked)!;
      waiting.delete(blocked);
      this.#return(made, result, key === undefined ? undefined : this.recorder.idOf(host.name, key));
      this.look(host, made.call, made.event);
    }
    return returned.length > 0;
  }
}
