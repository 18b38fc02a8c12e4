/**
 * The ways that two hosts and the network between them can go from a state, by what is known of each. A state is four words,
 * the numbers of the two hosts' states and of the network's, and how much harm the network may still do.
 */
import { UNKNOWN } from "./memo.ts";
import { NetworkTable, NONE } from "./network.ts";
import { memoriesOf, Words } from "./words.ts";
import { callOf, IMPOSSIBLE, SideTable, TICK, TIMEOUT } from "./side.ts";

const A = 0;
const B = 1;
export const NETWORK = 2;
const HARM = 3;
export const WIDTH = 4;

/** Strays and copies that are left share a word. */
export const STRAY = 1 << 8;

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
  straysMax: number;
  sides: [SharedArrayBuffer[], SharedArrayBuffer[]];
  network: SharedArrayBuffer[];
}

type Emit = (next: Int32Array, step: number) => void;

/** Both hosts' tables and the network's: their own owner's, who finds out what is not known, or those of another thread. */
export class Ways {
  readonly #next = new Int32Array(WIDTH);

  constructor(
    readonly sides: readonly [SideTable, SideTable],
    readonly network: NetworkTable,
  ) {}

  /** Those of another thread. */
  static of({ straysMax, sides, network }: WaysMemory): Ways {
    const [a, b] = sides.map((memories) => SideTable.of(memories.map((memory) => new Words(memory))));
    return new Ways(
      [a!, b!],
      NetworkTable.of(
        straysMax,
        network.map((memory) => new Words(memory)),
      ),
    );
  }

  get words(): Words[] {
    return [this.sides[A].words, this.sides[B].words, this.network.words].flat();
  }

  get memory(): WaysMemory {
    const { sides, network } = this;
    return {
      straysMax: network.straysMax,
      sides: [memoriesOf(sides[A].words), memoriesOf(sides[B].words)],
      network: memoriesOf(network.words),
    };
  }

  /**
   * Emits what may come next; false: not all of it is known. What arrives comes first: of ways of one length, that is found on
   * which nothing waits without need.
   */
  successors(state: Int32Array, emit: Emit): boolean {
    if (!this.#deliver(state, A, emit) || !this.#deliver(state, B, emit) || !this.#arrive(state, emit)) return false;
    let due = false;
    for (let host: 0 | 1 = A; ; host = B) {
      const side = this.sides[host];
      const at = state[host]!;
      const processes = side.processes(at);
      for (let process = 0; process < processes; process++) {
        const called = side.after(at, callOf(process));
        if (!this.#host(state, host, called, stepOf("call", host, process), emit, state[NETWORK]!)) return false;
      }
      if (side.isDue(at)) {
        due = true;
        // Timers go off on the tick; a segment's life ends before it.
        const network = this.network.expired(state[NETWORK]!);
        if (!this.#host(state, host, side.after(at, TIMEOUT), stepOf("timeout", host), emit, network)) return false;
      }
      if (host === B) break;
    }
    return due || this.#tick(state, emit);
  }

  /** Emits what a host's step leads to, if it can be taken. What it sends goes on its way. */
  #host(state: Int32Array, host: 0 | 1, transition: number, step: number, emit: Emit, network: number): boolean {
    if (transition === IMPOSSIBLE) return true;
    if (transition === UNKNOWN || network === UNKNOWN) return false;
    const { view } = this.sides[host].transitions;
    let after = network;
    const end = transition + 2 + view[transition + 1]!;
    for (let at = transition + 2; at < end; at++) {
      after = this.network.sent(after, host === A ? B : A, view[at]!);
      if (after === UNKNOWN) return false;
    }
    const next = this.#next;
    next[A] = state[A]!;
    next[B] = state[B]!;
    next[host] = view[transition]!;
    next[NETWORK] = after;
    next[HARM] = state[HARM]!;
    emit(next, step);
    return true;
  }

  #deliver(state: Int32Array, host: 0 | 1, emit: Emit): boolean {
    const { network } = this;
    const at = state[NETWORK]!;
    const segment = network.head(at, host);
    if (segment === NONE) return true;
    const transition = this.sides[host].after(state[host]!, segment);
    if (!this.#host(state, host, transition, stepOf("deliver", host), emit, network.delivered(at, host))) return false;
    const harm = state[HARM]!;
    if (harm === 0) return true;
    const copied = network.copied(at, host);
    if (copied === UNKNOWN) return false;
    let known = true;
    if (harm % STRAY > 0) {
      state[HARM] = harm - 1;
      known = this.#host(state, host, transition, stepOf("copy", host), emit, copied);
    }
    if (harm >= STRAY && known) {
      state[HARM] = harm - STRAY;
      this.#next.set(state);
      this.#next[NETWORK] = copied;
      emit(this.#next, stepOf("stray", host));
    }
    state[HARM] = harm;
    return known;
  }

  #arrive(state: Int32Array, emit: Emit): boolean {
    const { network } = this;
    const at = state[NETWORK]!;
    for (let i = 0, stray: number; (stray = network.stray(at, i)) !== NONE; i++) {
      const host = (stray & 1) as 0 | 1;
      const transition = this.sides[host].after(state[host]!, stray >> 1);
      if (!this.#host(state, host, transition, stepOf("arrive", host, i), emit, network.arrived(at, i))) return false;
    }
    return true;
  }

  #tick(state: Int32Array, emit: Emit): boolean {
    const { network } = this;
    const at = state[NETWORK]!;
    if (network.head(at, A) !== NONE || network.head(at, B) !== NONE) return true;
    const later = network.later(at);
    const [a, b] = [this.sides[A].after(state[A]!, TICK), this.sides[B].after(state[B]!, TICK)];
    if (later === UNKNOWN || a === UNKNOWN || b === UNKNOWN) return false;
    const next = this.#next;
    next[A] = this.sides[A].transitions.view[a]!;
    next[B] = this.sides[B].transitions.view[b]!;
    next[NETWORK] = later;
    next[HARM] = state[HARM]!;
    emit(next, stepOf("tick", A));
    return true;
  }
}
