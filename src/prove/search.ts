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

/** A search that goes on for as long as it is told to. */
export class Search {
  readonly #states: StateTable;
  readonly #parents = new NumberList();
  /** Where each state's successors begin in `#edges`; only where it matters what can be reached from where. */
  readonly #firstEdge = new NumberList();
  readonly #edges = new NumberList();
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
    this.#states = new StateTable(system.width);
    system.initial((state) => this.#meet(state, NO_PARENT));
  }

  get progress(): Progress {
    const lists = this.#parents.bytes + this.#firstEdge.bytes + this.#edges.bytes;
    return {
      distinct: this.#states.count,
      generated: this.#generated,
      depth: this.#depth,
      waiting: this.#states.count - this.#row,
      bytes: this.#states.bytes + lists,
    };
  }

  /** Looks at the successors of so many more states. Undefined: there are more to look at. */
  advance(count: number): Found | undefined {
    const { system } = this;
    const state = new Int32Array(system.width);
    for (let i = 0; i < count && !this.#wrong && this.#row < this.#states.count; i++) {
      if (this.#row === this.#levelEnd) {
        this.#depth++;
        this.#levelEnd = this.#states.count;
      }
      this.#states.read(this.#row, state);
      if (system.mayEnd) this.#firstEdge.push(this.#edges.length);
      const row = this.#row++;
      system.successors(state, (next) => this.#meet(next, row));
    }
    return this.#outcome();
  }

  #outcome(): Found | undefined {
    if (!this.#wrong && this.#row === this.#states.count && this.system.mayEnd) this.#findDoomed();
    if (this.#wrong) {
      const counterexample = this.#counterexample(this.#wrong);
      this.#depth = counterexample.steps.length + 1;
      return { ...this.progress, status: "violated", counterexample };
    }
    const { progress } = this;
    if (progress.waiting === 0) return { ...progress, status: "holds" };
    return progress.bytes > this.memory ? { ...progress, status: "unfinished", why: "memory" } : undefined;
  }

  /** How far it has come, if it is not to go on. */
  stop(): Found {
    return { ...this.progress, status: "unfinished", why: "stopped" };
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

  /**
   * The first state from which no end can be reached, if there is one. Of those the first in which nothing happens any more:
   * the way there tells most. Where something always does, the way goes on until it comes to where it has been.
   */
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
    const first = safe.indexOf(0);
    if (first < 0) return;
    let row = first;
    while (row < count && (safe[row] || !this.#isStuck(row))) row++;
    if (row < count) this.#wrong = { row, because: NO_END };
    else this.#wrong = { row: first, because: NO_END, further: this.#circleFrom(first) };
  }

  #circleFrom(row: number): number[] {
    const rows = new Set([row]);
    for (let at = row; ;) {
      at = this.#edges.at(this.#firstEdge.at(at));
      if (rows.has(at)) return [...rows, at].slice(1);
      rows.add(at);
    }
  }

  #isStuck(row: number): boolean {
    const end = this.#firstEdge.at(row + 1);
    for (let edge = this.#firstEdge.at(row); edge < end; edge++) if (this.#edges.at(edge) !== row) return false;
    return true;
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

/** How many states are looked at before anybody hears of it. */
const AT_A_TIME = 1 << 12;

/** Looks for a state that is wrong, until there is none left to look at, or no memory. */
export function search(system: System, memory: number): Found {
  const one = new Search(system, memory);
  for (;;) {
    const found = one.advance(AT_A_TIME);
    if (found) return found;
  }
}
