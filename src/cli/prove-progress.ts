/** How far `lastack prove` is, on a terminal. */
import { wholeNumber } from "../diagnose/words.ts";
import type { Progress } from "../prove/search.ts";
import { writeErr } from "./output.ts";
import { isErrTerminal } from "./terminal.ts";

/** Tells how far a number of searches are, and wipes it away at the end. */
export class Teller {
  readonly #isHeard = isErrTerminal();
  readonly #startedAtMs = performance.now();
  /** States of the searches that are over. */
  #before = 0;
  #answered = 0;
  #prefix = "";

  constructor(readonly searches: number) {
    this.#count();
  }

  #count(): void {
    if (this.searches > 1) this.#prefix = `${this.#answered} of ${this.searches} searches, `;
  }

  /** One is over. */
  answered(found: Progress): void {
    this.#answered++;
    this.#count();
    if (this.searches > 1) this.tell(found);
    this.#before += found.distinct;
  }

  readonly tell = ({ distinct, depth, bytes }: Progress): void => {
    if (!this.#isHeard) return;
    const states = this.#before + distinct;
    const rate = Math.round((1000 * states) / (performance.now() - this.#startedAtMs));
    const numbers = [`${wholeNumber(states)} states`, `${wholeNumber(rate)} a second`];
    writeErr(`\r\x1b[K${this.#prefix}${numbers.join(", ")}, depth ${depth}, ${Math.round(bytes / 1e6)} MB`);
  };

  end(): void {
    if (this.#isHeard) writeErr("\r\x1b[K");
  }
}
