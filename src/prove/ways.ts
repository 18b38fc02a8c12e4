/**
 * The ways that two hosts and the network between them can go from a state, by what is known of each. A state is five words: the
 * numbers of the hosts' states, of the queues to either, and of the set of strays, with how much harm the network may still do.
 */
import { UNKNOWN } from "./memo.ts";
import { EMPTY, NONE, QueueTable, StrayTable } from "./network.ts";
import { callOf, IMPOSSIBLE, SideTable, TICK, TIMEOUT } from "./side.ts";
import { memoriesOf, Words } from "./words.ts";

const A = 0;
const B = 1;
export const QUEUE = 2;
export const STRAYS = 4;
export const WIDTH = 5;

/** The set of strays shares its word with how many more may stray, and how many may leave a copy: less than 16 each. */
const [STRAY, COPY, SET] = [1 << 4, 1, 1 << 8];
const HARMS = SET - 1;

export function strayWord(set: number, strays: number, copies: number): number {
  return set * SET + strays * STRAY + copies * COPY;
}

export const setOf = (word: number) => word >>> 8;

const KINDS = ["call", "deliver", "copy", "stray", "arrive", "timeout", "tick"] as const;
type Kind = (typeof KINDS)[number];
const KIND_NUMBERS = Object.fromEntries(KINDS.map((kind, i) => [kind, i])) as Record<Kind, number>;

function stepOf(kind: Kind, host: number, index = 0): number {
  return (index * 2 + host) * 8 + KIND_NUMBERS[kind];
}

/** A step of the whole, by what it is. */
export type Move =
  | { do: "call"; host: 0 | 1; process: number }
  /** The first on its way to the host arrives; `copied`: and a copy of it strays. */
  | { do: "deliver"; host: 0 | 1; copied: boolean }
  /** The first on its way to the host strays. */
  | { do: "stray"; host: 0 | 1 }
  /** One that strayed arrives, the i-th of those of the state before. */
  | { do: "arrive"; host: 0 | 1; stray: number }
  | { do: "timeout"; host: 0 | 1 }
  | { do: "tick" };

export function moveOf(step: number): Move {
  const kind = KINDS[step & 7]!;
  const host = ((step >> 3) & 1) as 0 | 1;
  const index = step >> 4;
  switch (kind) {
    case "call":
      return { do: "call", host, process: index };
    case "deliver":
    case "copy":
      return { do: "deliver", host, copied: kind === "copy" };
    case "stray":
      return { do: "stray", host };
    case "arrive":
      return { do: "arrive", host, stray: index };
    case "timeout":
      return { do: "timeout", host };
    case "tick":
      return { do: "tick" };
  }
}

/** What is known, as other threads get it. */
export interface WaysMemory {
  sides: [SharedArrayBuffer[], SharedArrayBuffer[]];
  queues: SharedArrayBuffer[];
  strays: SharedArrayBuffer[];
  straysMax: number;
}

type Emit = (next: Int32Array, step: number) => void;

/** The tables of both hosts and of the network: of who finds out what is not known, or of others, who go where it is. */
export class Ways {
  readonly #next = new Int32Array(WIDTH);

  constructor(
    readonly sides: readonly [SideTable, SideTable],
    readonly queues: QueueTable,
    readonly strays: StrayTable,
  ) {}

  /** Those of another thread. */
  static of({ sides, queues, strays, straysMax }: WaysMemory): Ways {
    const wordsOf = (memories: readonly SharedArrayBuffer[]) => memories.map((memory) => new Words(memory));
    const [a, b] = sides.map((memories) => SideTable.of(wordsOf(memories)));
    return new Ways([a!, b!], QueueTable.of(wordsOf(queues)), StrayTable.of(straysMax, wordsOf(strays)));
  }

  /** The same, without anybody who finds out more. */
  known(): Ways {
    const { sides, queues, strays } = this;
    const [a, b] = sides.map(({ words }) => SideTable.of(words));
    return new Ways([a!, b!], QueueTable.of(queues.words), StrayTable.of(strays.max, strays.words));
  }

  get words(): Words[] {
    return [this.sides[A], this.sides[B], this.queues, this.strays].flatMap(({ words }) => words);
  }

  get memory(): WaysMemory {
    const { sides, queues, strays } = this;
    return {
      sides: [memoriesOf(sides[A].words), memoriesOf(sides[B].words)],
      queues: memoriesOf(queues.words),
      strays: memoriesOf(strays.words),
      straysMax: strays.max,
    };
  }

  /**
   * Emits what may come next; false: not all of it is known. What arrives comes first: of ways of one length, that is found on
   * which nothing waits without need.
   */
  successors(state: Int32Array, emit: Emit): boolean {
    if (!this.#deliver(state, A, emit) || !this.#deliver(state, B, emit) || !this.#arrive(state, emit)) return false;
    if (!this.#run(state, A, emit) || !this.#run(state, B, emit)) return false;
    const isDue = this.sides[A].isDue(state[A]!) || this.sides[B].isDue(state[B]!);
    return isDue || this.#tick(state, emit);
  }

  /** Emits what a host's step leads to, if it can be taken: `next` has all else. What it sends goes on its way. */
  #step(host: 0 | 1, transition: number, step: number, emit: Emit): boolean {
    if (transition === UNKNOWN) return false;
    const next = this.#next;
    const to = QUEUE + 1 - host;
    const { view } = this.sides[host].transitions;
    const end = transition + 2 + view[transition + 1]!;
    let queue = next[to]!;
    for (let at = transition + 2; at < end; at++) {
      queue = this.queues.appended(queue, view[at]!);
      if (queue === UNKNOWN) return false;
    }
    next[host] = view[transition]!;
    next[to] = queue;
    emit(next, step);
    return true;
  }

  /** A host's own steps. */
  #run(state: Int32Array, host: 0 | 1, emit: Emit): boolean {
    const side = this.sides[host];
    const at = state[host]!;
    const next = this.#next;
    const processes = side.processes(at);
    for (let process = 0; process < processes; process++) {
      const called = side.after(at, callOf(process));
      if (called === IMPOSSIBLE) continue;
      next.set(state);
      if (!this.#step(host, called, stepOf("call", host, process), emit)) return false;
    }
    if (!side.isDue(at)) return true;
    next.set(state);
    // Timers go off on the tick; a segment's life ends before it.
    this.#withStrays(state[STRAYS]!, this.strays.expired(setOf(state[STRAYS]!)));
    return this.#step(host, side.after(at, TIMEOUT), stepOf("timeout", host), emit);
  }

  /** Another set of strays, as much harm. */
  #withStrays(word: number, set: number): void {
    this.#next[STRAYS] = set * SET + (word & HARMS);
  }

  #deliver(state: Int32Array, host: 0 | 1, emit: Emit): boolean {
    const queue = state[QUEUE + host]!;
    if (queue === EMPTY) return true;
    const segment = this.queues.head(queue);
    const tail = this.queues.tail(queue);
    const transition = this.sides[host].after(state[host]!, segment);
    const next = this.#next;
    next.set(state);
    next[QUEUE + host] = tail;
    if (!this.#step(host, transition, stepOf("deliver", host), emit)) return false;
    const word = state[STRAYS]!;
    const harm = word & HARMS;
    if (harm === 0) return true;
    const strayed = this.strays.added(setOf(word), segment, host);
    if (strayed === UNKNOWN) return false;
    if (harm % STRAY > 0) {
      next.set(state);
      next[QUEUE + host] = tail;
      this.#withStrays(word - COPY, strayed);
      if (!this.#step(host, transition, stepOf("copy", host), emit)) return false;
    }
    if (harm < STRAY) return true;
    next.set(state);
    next[QUEUE + host] = tail;
    this.#withStrays(word - STRAY, strayed);
    emit(next, stepOf("stray", host));
    return true;
  }

  #arrive(state: Int32Array, emit: Emit): boolean {
    const { strays } = this;
    const word = state[STRAYS]!;
    const set = setOf(word);
    for (let i = 0, stray: number; (stray = strays.at(set, i)) !== NONE; i++) {
      const host = (stray & 1) as 0 | 1;
      const transition = this.sides[host].after(state[host]!, stray >> 1);
      this.#next.set(state);
      this.#withStrays(word, strays.without(set, i));
      if (!this.#step(host, transition, stepOf("arrive", host, i), emit)) return false;
    }
    return true;
  }

  #tick(state: Int32Array, emit: Emit): boolean {
    if (state[QUEUE + A] !== EMPTY || state[QUEUE + B] !== EMPTY) return true;
    const [a, b] = [this.sides[A].after(state[A]!, TICK), this.sides[B].after(state[B]!, TICK)];
    if (a === UNKNOWN || b === UNKNOWN) return false;
    const next = this.#next;
    next.set(state);
    next[A] = this.sides[A].transitions.view[a]!;
    next[B] = this.sides[B].transitions.view[b]!;
    this.#withStrays(state[STRAYS]!, this.strays.later(setOf(state[STRAYS]!)));
    emit(next, stepOf("tick", A));
    return true;
  }
}
