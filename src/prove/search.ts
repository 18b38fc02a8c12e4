/**
 * An explicit-state search: from the initial states through all successors, breadth first, so that the way to the first
 * state found wrong is a shortest one. It knows nothing of what it searches; the same system gives the same counts.
 */
import { Block, BLOCK } from "./block.ts";
import { Crew } from "./crew.ts";
import { Ends } from "./ends.ts";
import { ENTER, EXPAND, SETTLE, shareOf, type Shared } from "./helper.ts";
import { NumberList } from "./numbers.ts";
import { StateTable } from "./state-table.ts";
import type { Ways } from "./ways.ts";
import { memoriesOf, NoRoom, Words } from "./words.ts";

/** What is searched. A state is a row of 32-bit words, and two states are the same if their words are. */
export interface System {
  /** How many words a state has. */
  readonly width: number;
  /** Emits the states that it may begin with. What is emitted is copied. */
  initial(emit: (state: Int32Array) => void): void;
  /** Emits what may come next, each with a number by which the system knows the step. */
  successors(state: Int32Array, emit: (next: Int32Array, step: number) => void): void;
  /** What is wrong with a state; undefined: nothing. */
  violation?(state: Int32Array): string | undefined;
  /**
   * Whether it may end in this state. Given this, every state must be able to come to such a one: what is stuck for ever, and
   * what can only go round in circles, is wrong.
   */
  mayEnd?(state: Int32Array): boolean;
  /** The successors that other threads can find by themselves: those that have been found before. */
  readonly ways?: Ways;
}

export interface Progress {
  /** Different states met. */
  distinct: number;
  /** States emitted, the initial ones among them. */
  generated: number;
  /** How many states lie on the longest of the shortest ways from an initial state: an initial one alone is 1. */
  depth: number;
  /** States whose successors are still to be looked at. */
  waiting: number;
  /** What the states take. */
  bytes: number;
}

/** One step of a counterexample: what was done, and the state after it. */
export interface Step {
  step: number;
  state: Int32Array;
}

export interface Counterexample {
  because: string;
  initial: Int32Array;
  steps: Step[];
}

export type Outcome =
  /** Every state that can be reached has been looked at. */
  | { status: "holds" }
  | { status: "violated"; counterexample: Counterexample }
  /** It did not end: the memory was full, or it was told to stop. */
  | { status: "unfinished"; why: "memory" | "stopped" };

export type Found = Progress & Outcome;

/** What is wrong with a state that can't come to an end any more. */
export const NO_END = "no end can be reached from here";

const NO_PARENT = 0xffff_ffff;

interface Wrong {
  row: number;
  because: string;
  /** Where the way goes on from there. */
  further?: readonly number[];
}

/** Fewer states, or successors, are not worth to be shared out. */
const WORTH_SHARING = 1 << 10;
/** Beside the states, which have as much as they may take. */
const ROOM_BESIDE = 1 << 28;

/** A search that goes on for as long as it is told to. */
export class Search {
  readonly #table: StateTable;
  readonly #block: Block;
  /** Threads that help do, with the memory that they are told of. */
  readonly #crew = new Crew();
  readonly #state: Int32Array;
  readonly #parents = new NumberList();
  /** Only where it matters what can be reached from where. */
  readonly #ends: Ends | undefined;
  #generated = 0;
  /** The state whose successors are looked at next. */
  #row = 0;
  /** The first state that lies further away than those before it. */
  #levelEnd = 0;
  #depth = 0;
  #wrong: Wrong | undefined;

  /** `memory`: bytes that it may take for the states. */
  constructor(
    readonly system: System,
    readonly memory: number,
  ) {
    const { width } = system;
    this.#state = new Int32Array(width);
    this.#table = new StateTable(width, new Words(memory + ROOM_BESIDE), new Words(memory / 2 + ROOM_BESIDE));
    this.#block = new Block(this.#table);
    if (system.mayEnd) this.#ends = new Ends();
    this.#block.leave(1);
    this.#settle(
      1,
      this.#block.finish(0, 1, (_state, emit) => system.initial(emit)),
    );
    this.#number(0, NO_PARENT);
  }

  /** What threads get that help; undefined: this can't be shared out. */
  get shared(): Shared | undefined {
    const { ways, width } = this.system;
    const block = memoriesOf(this.#block.words);
    return ways && { width, crew: this.#crew.memory, block, ways: ways.memory };
  }

  /** How many help. */
  get helpers(): number {
    return this.#crew.helpers;
  }

  get progress(): Progress {
    const { rows, index } = this.#table;
    const lists = this.#parents.bytes + (this.#ends?.bytes ?? 0);
    return {
      distinct: this.#table.count,
      generated: this.#generated,
      depth: this.#depth,
      waiting: this.#table.count - this.#row,
      bytes: rows.view.byteLength + index.view.byteLength + lists,
    };
  }

  /** Looks at the successors of so many more states. Undefined: there are more to look at. */
  advance(count: number): Found | undefined {
    try {
      for (let end = this.#row + count; !this.#wrong && this.#row < Math.min(end, this.#table.count);)
        this.#advance(end);
    } catch (error) {
      if (!(error instanceof NoRoom)) throw error;
      return { ...this.progress, status: "unfinished", why: "memory" };
    }
    return this.#outcome();
  }

  /** A block, of states that lie equally far away. */
  #advance(end: number): void {
    if (this.#row === this.#levelEnd) {
      this.#depth++;
      this.#levelEnd = this.#table.count;
    }
    const block = this.#block;
    const from = this.#row;
    const to = Math.min(from + BLOCK, this.#levelEnd, end);
    if (this.system.ways && this.#crew.helpers > 0 && to - from >= WORTH_SHARING) this.#share(EXPAND, [from, to]);
    else block.leave(to - from);
    const successors = block.finish(from, to, (state, emit) => this.system.successors(state, emit));
    this.#settle(to - from, successors);
    while (this.#row < to && !this.#wrong) {
      this.#ends?.begin();
      this.#number(this.#row - from, this.#row++);
    }
  }

  /** Finds which successors of so many states are new; there are so many. */
  #settle(count: number, successors: number): void {
    const table = this.#table;
    if (table.isFull(table.count + successors)) {
      table.enlarge(table.count + successors);
      this.#share(ENTER, [table.count]);
    }
    this.#share(SETTLE, [count], successors >= WORTH_SHARING);
  }

  /** Has all do it who help, if it is worth it. */
  #share(task: number, numbers: readonly number[], isWorthIt = true): void {
    this.#crew.lead(task, numbers, shareOf(this.#block, this.system.ways, this.#crew), isWorthIt);
  }

  /** Numbers the successors of the block's i-th state, and looks at those that are new. */
  #number(i: number, parent: number): void {
    this.#generated += this.#block.number(i, parent === NO_PARENT ? undefined : this.#ends);
    while (this.#parents.length < this.#table.count) {
      const row = this.#parents.length;
      this.#parents.push(parent);
      if (this.#wrong) continue;
      this.#table.read(row, this.#state);
      const because = this.system.violation?.(this.#state);
      if (because !== undefined) this.#wrong = { row, because };
    }
  }

  #outcome(): Found | undefined {
    if (!this.#wrong && this.#row === this.#table.count && this.#ends) this.#wrong = this.#findDoomed(this.#ends);
    if (this.#wrong) {
      const counterexample = this.#counterexample(this.#wrong);
      this.#depth = counterexample.steps.length + 1;
      return { ...this.progress, status: "violated", counterexample };
    }
    const { progress } = this;
    if (progress.waiting === 0) return { ...progress, status: "holds" };
    return progress.bytes > this.memory ? { ...progress, status: "unfinished", why: "memory" } : undefined;
  }

  #findDoomed(ends: Ends): Wrong | undefined {
    const isEnd = new Uint8Array(this.#table.count);
    for (let row = 0; row < this.#table.count; row++) {
      this.#table.read(row, this.#state);
      if (this.system.mayEnd!(this.#state)) isEnd[row] = 1;
    }
    const doomed = ends.doomed(isEnd);
    return doomed && { ...doomed, because: NO_END };
  }

  /** How far it has come, if it is not to go on. */
  stop(): Found {
    return { ...this.progress, status: "unfinished", why: "stopped" };
  }

  /** The rows from an initial state to this one. */
  #trail(row: number): number[] {
    const rows = [row];
    for (let at = this.#parents.at(row); at !== NO_PARENT; at = this.#parents.at(at)) rows.push(at);
    return rows.reverse();
  }

  #stateOf(row: number): Int32Array {
    const state = new Int32Array(this.system.width);
    this.#table.read(row, state);
    return state;
  }

  /** Steps are not stored: those of the way are found again. */
  #counterexample({ row, because, further = [] }: Wrong): Counterexample {
    const [first, ...rest] = [...this.#trail(row), ...further];
    let from = this.#stateOf(first!);
    const initial = from;
    const steps = rest.map((next): Step => {
      const state = this.#stateOf(next);
      const step = stepBetween(this.system, from, state);
      from = state;
      return { step, state };
    });
    return { because, initial, steps };
  }
}

function stepBetween(system: System, from: Int32Array, to: Int32Array): number {
  let found: number | undefined;
  system.successors(from, (next, step) => {
    if (found === undefined && next.every((word, i) => word === to[i])) found = step;
  });
  if (found === undefined) throw new Error("a state has other successors than before");
  return found;
}

/** Looks for a state that is wrong, until there is none left to look at, or no memory. */
export function search(system: System, memory: number): Found {
  const one = new Search(system, memory);
  for (;;) {
    const found = one.advance(BLOCK);
    if (found) return found;
  }
}
