/** A number for each of many pairs of numbers, in memory that threads may share: one adds while no other reads. */
import { Words } from "./words.ts";

const ENTRY = 3;
const SLOTS_FIRST = 1 << 10;
/** It is enlarged when it is filled to more than this. */
const LOAD_MAX = 0.6;

/** There is no number for the pair, or none yet. Those that there are, are 0 or more. */
export const UNKNOWN = -1;

export class Memo {
  #count = 0;

  constructor(readonly words = new Words()) {
    if (words.view.length < SLOTS_FIRST * ENTRY) words.grow(SLOTS_FIRST * ENTRY);
  }

  get(a: number, b: number): number {
    const { view } = this.words;
    return view[this.#slot(a, b) + 2]! - 1;
  }

  set(a: number, b: number, value: number): void {
    if (this.#count > LOAD_MAX * (this.words.view.length / ENTRY)) this.#enlarge();
    const slot = this.#slot(a, b);
    const { view } = this.words;
    if (view[slot + 2] === 0) this.#count++;
    view[slot] = a;
    view[slot + 1] = b;
    view[slot + 2] = value + 1;
  }

  /** Where the pair is, or where there is room for it. */
  #slot(a: number, b: number): number {
    const { view } = this.words;
    const mask = view.length / ENTRY - 1;
    let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
    h ^= h >>> 15;
    for (let i = h & mask; ; i = (i + 1) & mask) {
      const slot = i * ENTRY;
      if (view[slot + 2] === 0 || (view[slot] === a && view[slot + 1] === b)) return slot;
    }
  }

  #enlarge(): void {
    const before = this.words.view.slice();
    this.words.grow(2 * before.length);
    this.words.view.fill(0, 0, before.length);
    for (let at = 0; at < before.length; at += ENTRY) {
      if (before[at + 2] === 0) continue;
      const slot = this.#slot(before[at]!, before[at + 1]!);
      this.words.view.set(before.subarray(at, at + ENTRY), slot);
    }
  }
}
