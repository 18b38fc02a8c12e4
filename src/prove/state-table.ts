/**
 * The states that a search has met: rows of so many 32-bit words, each once, numbered in the order in which they came, in memory
 * that threads may share. Exact: rows are compared, not hashes.
 */
import { Words } from "./words.ts";

const SLOTS_FIRST = 1 << 14;
/** The index is enlarged before it is filled to more than this. */
const LOAD_MAX = 0.7;

export class StateTable {
  #count = 0;

  constructor(
    readonly width: number,
    readonly rows = new Words(),
    /** Open addressing: a row's number plus 1; 0 is free; less is the users' own. */
    readonly index = new Words(),
  ) {
    if (index.view.length < SLOTS_FIRST) index.grow(SLOTS_FIRST);
  }

  get words(): Words[] {
    return [this.rows, this.index];
  }

  /** How many rows there are, to who adds them. */
  get count(): number {
    return this.#count;
  }

  /** Adds a row, which is not yet in the index. Returns its number. */
  push(words: Int32Array, at: number): number {
    const row = this.#count++;
    const start = row * this.width;
    this.rows.reserve(start + this.width);
    const { view } = this.rows;
    for (let i = 0; i < this.width; i++) view[start + i] = words[at + i]!;
    return row;
  }

  /** Copies a row out. */
  read(row: number, into: Int32Array): void {
    const { view } = this.rows;
    const at = row * this.width;
    for (let i = 0; i < this.width; i++) into[i] = view[at + i]!;
  }

  /** Whether the row is what stands there. */
  isRow(row: number, words: Int32Array, at: number): boolean {
    const { view } = this.rows;
    const start = row * this.width;
    for (let i = 0; i < this.width; i++) if (view[start + i] !== words[at + i]) return false;
    return true;
  }

  /** Whether so many rows are too many for the index. */
  isFull(count: number): boolean {
    return count > LOAD_MAX * this.index.view.length;
  }

  /** An index with room for so many rows, and nothing in it yet. */
  enlarge(count: number): void {
    const before = this.index.view.length;
    let length = before;
    while (count > LOAD_MAX * length) length *= 2;
    this.index.grow(length);
    this.index.view.fill(0, 0, before);
  }

  /** Enters rows into the index, while other threads enter others. */
  enter(from: number, to: number): void {
    const { rows, width } = this;
    const { view } = this.index;
    const mask = view.length - 1;
    for (let row = from; row < to; row++) {
      let slot = hashOf(rows.view, row * width, width) & mask;
      while (view[slot] !== 0 || Atomics.compareExchange(view, slot, 0, row + 1) !== 0) slot = (slot + 1) & mask;
    }
  }
}

/** MurmurHash3's mixing (Appleby, public domain) of so many words. */
export function hashOf(words: Int32Array, at: number, width: number): number {
  let h = 0;
  for (let i = at; i < at + width; i++) {
    const k = Math.imul(words[i]!, 0xcc9e2d51);
    h ^= Math.imul((k << 15) | (k >>> 17), 0x1b873593);
    h = (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
