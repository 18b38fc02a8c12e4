import { statusOfSignal } from "./exit-status.ts";

/** The signals that ask a command to end. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** While it lives, a first signal aborts what the command does, instead of ending it; a second one of its kind ends it. */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #abort = (signal: NodeJS.Signals) => this.#controller.abort(signal);

  constructor() {
    for (const signal of SIGNALS) process.once(signal, this.#abort);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The exit status of a command that was interrupted; undefined: it was not. */
  get status(): number | undefined {
    return this.signal.aborted ? statusOfSignal(this.signal.reason as NodeJS.Signals) : undefined;
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.off(signal, this.#abort);
  }
}
