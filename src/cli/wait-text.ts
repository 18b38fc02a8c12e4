/** What `wait` says while it waits, and in the end. */
import { spanText } from "../diagnose/words.ts";
import type { Waited } from "../remedy/wait.ts";
import type { Standing } from "../remedy/watch.ts";
import { sayErr, terminalWidth } from "./output.ts";
import { line } from "./why-text.ts";

const CLEAR_LINE = "\r\x1b[K";

/** What is in the way, when that changes, on standard error; on a terminal a last line that counts. */
export class Progress {
  readonly #startedMs = performance.now();
  #cause: string | undefined;
  #counter = "";

  constructor(private readonly to: { isTerminal: boolean; isSilent: boolean }) {}

  show(standings: readonly Standing[]): void {
    if (this.to.isSilent) return;
    const waiting = standings.filter(({ answer }) => answer === "waiting");
    if (waiting.length === 0) return;
    const cause = waiting.map((standing) => `${standing.port} ${standing.cause}`).join("\n");
    if (cause !== this.#cause) {
      this.clear();
      this.#cause = cause;
      for (const { headline } of waiting) sayErr(`${line(headline)}\n`);
    }
    if (this.to.isTerminal) this.#count(waiting);
  }

  #count(waiting: readonly Standing[]): void {
    const ends = waiting.map(({ freeAtMs }) => freeAtMs ?? Number.POSITIVE_INFINITY);
    const leftMs = Math.max(...ends) - Date.now();
    const predicted =
      leftMs === Number.POSITIVE_INFINITY ? "" : `, ${leftMs > 0 ? `free in ${spanText(leftMs)}` : "free any moment"}`;
    const text = `waiting for ${spanText(Math.floor((performance.now() - this.#startedMs) / 1000) * 1000)}${predicted}`;
    if (text === this.#counter) return;
    // A line that the terminal breaks is cleared by half only.
    sayErr(`${CLEAR_LINE}${text.slice(0, (terminalWidth(2) ?? 80) - 1)}`);
    this.#counter = text;
  }

  /** Leaves an empty line to whoever writes next. */
  clear(): void {
    if (this.#counter !== "") sayErr(CLEAR_LINE);
    this.#counter = "";
  }
}

export function waitedText({ outcome, standings, waitedMs }: Waited): string {
  const lines = standings
    .filter(({ answer }) => outcome === "reached" || answer !== "reached")
    .map(({ headline }) => line(headline));
  const span = waitedMs < 10_000 ? `${(waitedMs / 1000).toFixed(1)} s` : spanText(waitedMs);
  switch (outcome) {
    case "reached":
      return `${lines.join("\n")}${waitedMs === 0 ? "" : `, after ${span}`}\n`;
    case "timeout":
      return `The time is over, after ${span}\n`; // what is in the way has been said
    case "hopeless":
      return `${lines.join("\n")}\nWaiting does not help\n`;
  }
}
