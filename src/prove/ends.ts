/** Where every state leads, kept to find those from which no end can be reached. */
import { NumberList } from "./numbers.ts";

export class Ends {
  /** Where each state's successors begin in `#edges`. */
  readonly #firsts = new NumberList();
  readonly #edges = new NumberList();

  get bytes(): number {
    return this.#firsts.bytes + this.#edges.bytes;
  }

  /** What is added from now on are the next state's successors. */
  begin(): void {
    this.#firsts.push(this.#edges.length);
  }

  add(row: number): void {
    this.#edges.push(row);
  }

  /**
   * The first state from which no end can be reached, if there is one; `safe`: 1 for each that is an end. Of those the first in
   * which nothing happens any more: the way there tells most. Where something always does, the way goes on until it comes to
   * where it has been.
   */
  doomed(safe: Uint8Array): { row: number; further: number[] } | undefined {
    this.begin();
    for (let changed = true; changed;) {
      changed = false;
      for (let row = safe.length - 1; row >= 0; row--) {
        if (safe[row] || !this.#leadsTo(row, safe)) continue;
        safe[row] = 1;
        changed = true;
      }
    }
    const first = safe.indexOf(0);
    if (first < 0) return undefined;
    let row = first;
    while (row < safe.length && (safe[row] || !this.#isStuck(row))) row++;
    return row < safe.length ? { row, further: [] } : { row: first, further: this.#circleFrom(first) };
  }

  #circleFrom(row: number): number[] {
    const rows = new Set([row]);
    for (let at = row; ;) {
      at = this.#edges.at(this.#firsts.at(at));
      if (rows.has(at)) return [...rows, at].slice(1);
      rows.add(at);
    }
  }

  #isStuck(row: number): boolean {
    const end = this.#firsts.at(row + 1);
    for (let edge = this.#firsts.at(row); edge < end; edge++) if (this.#edges.at(edge) !== row) return false;
    return true;
  }

  #leadsTo(row: number, safe: Uint8Array): boolean {
    const end = this.#firsts.at(row + 1);
    for (let edge = this.#firsts.at(row); edge < end; edge++) if (safe[this.#edges.at(edge)]) return true;
    return false;
  }
}
