/**
 * The states that a search has met: rows of so many 32-bit words, each once, numbered in the order in which they came. Exact:
 * rows are compared, not hashes. Rows lie in pages, so that growing copies nothing but the index.
 */
const PAGE_BITS = 15;
const PAGE_ROWS = 1 << PAGE_BITS;
/** The index is enlarged when it is filled to more than this. */
const LOAD_MAX = 0.7;

export class StateTable {
  readonly #pages: Int32Array[] = [];
  /** Open addressing: a row's number plus 1; 0 is free. */
  #index = new Uint32Array(1 << 12);
  #count = 0;

  constructor(readonly width: number) {}

  get count(): number {
    return this.#count;
  }

  /** What rows and index take. */
  get bytes(): number {
    return this.#pages.length * PAGE_ROWS * this.width * 4 + this.#index.byteLength;
  }

  /** Copies a row out. */
  read(row: number, into: Int32Array): void {
    const page = this.#pages[row >>> PAGE_BITS]!;
    const at = (row & (PAGE_ROWS - 1)) * this.width;
    for (let i = 0; i < this.width; i++) into[i] = page[at + i]!;
  }

  /** The number of this row, which is added if it is new: then it is what `count` was. */
  add(state: Int32Array): number {
    const mask = this.#index.length - 1;
    let slot = hash(state) & mask;
    for (let entry; (entry = this.#index[slot]!) !== 0; slot = (slot + 1) & mask) {
      if (this.#equals(entry - 1, state)) return entry - 1;
    }
    const row = this.#count++;
    if ((row & (PAGE_ROWS - 1)) === 0) this.#pages.push(new Int32Array(PAGE_ROWS * this.width));
    this.#pages[row >>> PAGE_BITS]!.set(state, (row & (PAGE_ROWS - 1)) * this.width);
    this.#index[slot] = row + 1;
    if (this.#count > LOAD_MAX * this.#index.length) this.#enlarge();
    return row;
  }

  #equals(row: number, state: Int32Array): boolean {
    const page = this.#pages[row >>> PAGE_BITS]!;
    const at = (row & (PAGE_ROWS - 1)) * this.width;
    for (let i = 0; i < this.width; i++) if (page[at + i] !== state[i]) return false;
    return true;
  }

  #enlarge(): void {
    const index = new Uint32Array(2 * this.#index.length);
    const mask = index.length - 1;
    const state = new Int32Array(this.width);
    for (let row = 0; row < this.#count; row++) {
      this.read(row, state);
      let slot = hash(state) & mask;
      while (index[slot] !== 0) slot = (slot + 1) & mask;
      index[slot] = row + 1;
    }
    this.#index = index;
  }
}

/** MurmurHash3's mixing (Appleby, public domain). */
function hash(state: Int32Array): number {
  let h = 0;
  for (let i = 0; i < state.length; i++) {
    const k = Math.imul(state[i]!, 0xcc9e2d51);
    h ^= Math.imul((k << 15) | (k >>> 17), 0x1b873593);
    h = (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A list of 32-bit numbers that only grows. */
export class NumberList {
  readonly #pages: Uint32Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return this.#pages.length * PAGE_ROWS * 4;
  }

  push(value: number): void {
    const at = this.#length++;
    if ((at & (PAGE_ROWS - 1)) === 0) this.#pages.push(new Uint32Array(PAGE_ROWS));
    this.#pages[at >>> PAGE_BITS]![at & (PAGE_ROWS - 1)] = value;
  }

  at(i: number): number {
    return this.#pages[i >>> PAGE_BITS]![i & (PAGE_ROWS - 1)]!;
  }
}
