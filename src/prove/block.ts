/**
 * A block of states whose successors are looked at together, in three passes: all successors are written down (`expand`, and
 * `finish` for what only the system itself can tell); those that have been met before are told from those that have not
 * (`settle`); and these get their numbers (`number`). The first and the second are shared out between threads; what comes out is
 * in the order of one thread that goes through it alone.
 */
import type { Crew } from "./crew.ts";
import type { Ends } from "./ends.ts";
import { hashOf, type StateTable } from "./state-table.ts";
import { Words } from "./words.ts";

/** So many states at most. */
export const BLOCK = 1 << 14;
/** What a thread takes at a time, and for how many successors there is room then. */
const CHUNK = 128;
const ROOM = CHUNK * 24;
/** Where the records begin of those states that `finish` looks at. */
const OWN = (BLOCK / CHUNK) * ROOM;
/** A state that is left to `finish`. */
const LEFT = -1;

/** What a record says of a successor: its words, its hash and then its slot in the index, and what it is: its row, or … */
const [SLOT, ROW] = [0, 1];
const MORE = 2;
/** … one that has not been met before, or, less than 0, the same as another: minus the record's number, minus 1. */
const NEW = 0x7fff_ffff;

/** Emits what may come next; false: not all of it is known here. */
export type Successors = (state: Int32Array, emit: (next: Int32Array) => void) => boolean | void;

export class Block {
  readonly #state: Int32Array;
  readonly #record: number;
  #at = 0;
  #end = 0;
  #isFull = false;

  constructor(
    readonly table: StateTable,
    readonly records = new Words(),
    /** Of each state of the block: its first record, and how many there are. */
    readonly firsts = new Words(),
    readonly counts = new Words(),
  ) {
    this.#state = new Int32Array(table.width);
    this.#record = table.width + MORE;
    if (firsts.view.length < BLOCK) {
      firsts.grow(BLOCK);
      counts.grow(BLOCK);
    }
  }

  get words(): Words[] {
    return [...this.table.words, this.records, this.firsts, this.counts];
  }

  /** Which are left to `finish`: all. */
  leave(count: number): void {
    this.counts.view.fill(LEFT, 0, count);
  }

  /** Room for what `expand` writes. */
  open(): void {
    this.records.reserve(OWN * this.#record);
  }

  /** Looks at chunks of the states `from` to `to`, as it gets them. */
  expand(from: number, to: number, successors: Successors, crew: Crew): void {
    const [firsts, counts] = [this.firsts.view, this.counts.view];
    for (let chunk = crew.claim(); from + chunk * CHUNK < to; chunk = crew.claim()) {
      this.#at = chunk * ROOM;
      this.#end = this.#at + ROOM;
      const end = Math.min(to, from + (chunk + 1) * CHUNK);
      for (let row = from + chunk * CHUNK; row < end; row++) {
        const first = this.#at;
        this.#isFull = false;
        this.table.read(row, this.#state);
        const isKnown = successors(this.#state, this.#write) !== false && !this.#isFull;
        if (!isKnown) this.#at = first;
        firsts[row - from] = first;
        counts[row - from] = isKnown ? this.#at - first : LEFT;
      }
    }
  }

  /** Looks at those that are left. Returns how many successors there are of all. */
  finish(from: number, to: number, successors: Successors): number {
    const [firsts, counts] = [this.firsts.view, this.counts.view];
    this.#at = OWN;
    this.#end = Infinity;
    let all = 0;
    for (let i = 0; i < to - from; i++) {
      if (counts[i] === LEFT) {
        firsts[i] = this.#at;
        this.table.read(from + i, this.#state);
        successors(this.#state, this.#write);
        counts[i] = this.#at - firsts[i]!;
      }
      all += counts[i]!;
    }
    return all;
  }

  readonly #write = (next: Int32Array): void => {
    if (this.#at === this.#end) {
      this.#isFull = true;
      return;
    }
    const { width } = this.table;
    const at = this.#at++ * this.#record;
    if (this.#end === Infinity) this.records.reserve(at + this.#record);
    const { view } = this.records;
    for (let i = 0; i < width; i++) view[at + i] = next[i]!;
    view[at + width + SLOT] = hashOf(next, 0, width);
  };

  /** Finds the successors of chunks of the first so many states, as it gets them; what is new is entered. */
  settle(count: number, crew: Crew): void {
    for (let from = crew.claim() * CHUNK; from < count; from = crew.claim() * CHUNK) {
      for (let i = from; i < Math.min(from + CHUNK, count); i++) this.#settle(i);
    }
  }

  #settle(i: number): void {
    const { table } = this;
    const { width } = table;
    const [records, index] = [this.records.view, table.index.view];
    const mask = index.length - 1;
    let at = this.firsts.view[i]! * this.#record;
    for (const end = at + this.counts.view[i]! * this.#record; at < end; at += this.#record) {
      let slot = records[at + width + SLOT]! & mask;
      for (;;) {
        // Another thread may enter its own meanwhile.
        const entry = index[slot] || Atomics.compareExchange(index, slot, 0, -1 - at / this.#record);
        if (entry === 0 || this.#isEntry(entry, records, at)) {
          records[at + width + SLOT] = slot;
          records[at + width + ROW] = entry === 0 ? NEW : entry > 0 ? entry - 1 : entry;
          break;
        }
        slot = (slot + 1) & mask;
      }
    }
  }

  #isEntry(entry: number, records: Int32Array, at: number): boolean {
    if (entry > 0) return this.table.isRow(entry - 1, records, at);
    const other = (-1 - entry) * this.#record;
    for (let i = 0; i < this.table.width; i++) if (records[other + i] !== records[at + i]) return false;
    return true;
  }

  /**
   * Gives those of the i-th state's successors their numbers that are new; the numbers of all go to `ends`. Of those that are the
   * same any thread's may be the one that the others refer to: the number is given where the first of them stands. Returns how
   * many there are.
   */
  number(i: number, ends: Ends | undefined): number {
    const { table } = this;
    const { width } = table;
    const [records, index] = [this.records.view, table.index.view];
    const count = this.counts.view[i]!;
    let at = this.firsts.view[i]! * this.#record;
    for (const end = at + count * this.#record; at < end; at += this.#record) {
      let row = records[at + width + ROW]!;
      const one = row < 0 ? (-1 - row) * this.#record : at;
      if (row < 0) row = records[one + width + ROW]!;
      if (row === NEW) {
        row = table.push(records, at);
        index[records[one + width + SLOT]!] = row + 1;
        records[one + width + ROW] = row;
      }
      ends?.add(row);
    }
    return count;
  }
}
