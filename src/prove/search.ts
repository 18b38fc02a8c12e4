/**
 * An explicit-state search: from the initial states through all successors, breadth first, so that the way to the first
 * state found wrong is a shortest one. It knows nothing of what it searches; the same system gives the same counts.
 */
import { NumberList, StateTable } from "./state-table.ts";

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
}

export interface Limits {
  /** Bytes that the search may take for its states. */
  readonly memory: number;
  /** Called every so many expanded states; false ends the search. */
  readonly onProgress?: (progress: Progress) => boolean;
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
const PROGRESS_EVERY = 1 << 13;

class Search {
  readonly #states: StateTable;
  readonly #parents = new NumberList();
  /** Where each state's successors begin in `#edges`; only where it matters what can be reached from where. */
  readonly #firstEdge = new NumberList();
  readonly #edges = new NumberList();
  #generated = 0;
  #depth = 0;
  #expanded = 0;
  #wrong: { row: number; because: string } | undefined;

  constructor(
    readonly system: System,
    readonly limits: Limits,
  ) {
    this.#states = new StateTable(system.width);
  }

  get #progress(): Progress {
    const lists = this.#parents.bytes + this.#firstEdge.bytes + this.#edges.bytes;
    return {
      distinct: this.#states.count,
      generated: this.#generated,
      depth: this.#depth,
      waiting: this.#states.count - this.#expanded,
      bytes: this.#states.bytes + lists,
    };
  }

  run(): Found {
    const outcome = this.#explore();
    return { ...this.#progress, ...outcome };
  }

  #explore(): Outcome {
    const { system, limits } = this;
    system.initial((state) => this.#meet(state, NO_PARENT));
    const state = new Int32Array(system.width);
    let levelEnd = 0;
    for (let row = 0; row < this.#states.count && !this.#wrong; row++) {
      if (row === levelEnd) {
        this.#depth++;
        levelEnd = this.#states.count;
      }
      this.#states.read(row, state);
      if (system.mayEnd) this.#firstEdge.push(this.#edges.length);
      system.successors(state, (next) => this.#meet(next, row));
      this.#expanded++;
      if (this.#expanded % PROGRESS_EVERY === 0) {
        const progress = this.#progress;
        if (progress.bytes > limits.memory) return { status: "unfinished", why: "memory" };
        if (limits.onProgress?.(progress) === false) return { status: "unfinished", why: "stopped" };
      }
    }
    if (this.#wrong) this.#depth = this.#trail(this.#wrong.row).length;
    else if (system.mayEnd) this.#findDoomed();
    return this.#wrong
      ? { status: "violated", counterexample: this.#counterexample(this.#wrong) }
      : { status: "holds" };
  }

  #meet(state: Int32Array, parent: number): void {
    this.#generated++;
    const before = this.#states.count;
    const row = this.#states.add(state);
    if (this.system.mayEnd && parent !== NO_PARENT) this.#edges.push(row);
    if (row < before) return;
    this.#parents.push(parent);
    if (this.#wrong) return;
    const because = this.system.violation?.(state);
    if (because !== undefined) this.#wrong = { row, because };
  }

  /** The first state from which no end can be reached, if there is one. */
  #findDoomed(): void {
    const { count } = this.#states;
    const safe = new Uint8Array(count);
    const state = new Int32Array(this.system.width);
    for (let row = 0; row < count; row++) {
      this.#states.read(row, state);
      if (this.system.mayEnd!(state)) safe[row] = 1;
    }
    this.#firstEdge.push(this.#edges.length);
    for (let changed = true; changed;) {
      changed = false;
      for (let row = count - 1; row >= 0; row--) {
        if (safe[row] || !this.#leadsTo(row, safe)) continue;
        safe[row] = 1;
        changed = true;
      }
    }
    const row = safe.indexOf(0);
    if (row >= 0) this.#wrong = { row, because: NO_END };
  }

  #leadsTo(row: number, safe: Uint8Array): boolean {
    const end = this.#firstEdge.at(row + 1);
    for (let edge = this.#firstEdge.at(row); edge < end; edge++) if (safe[this.#edges.at(edge)]) return true;
    return false;
  }

  /** The rows from an initial state to this one. */
  #trail(row: number): number[] {
    const rows = [row];
    for (let at = this.#parents.at(row); at !== NO_PARENT; at = this.#parents.at(at)) rows.push(at);
    return rows.reverse();
  }

  #stateOf(row: number): Int32Array {
    const state = new Int32Array(this.system.width);
    this.#states.read(row, state);
    return state;
  }

  /** Steps are not stored: those of the way are found again. */
  #counterexample({ row, because }: { row: number; because: string }): Counterexample {
    const [first, ...rest] = this.#trail(row);
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
export function search(system: System, limits: Limits): Found {
  return new Search(system, limits).run();
}
