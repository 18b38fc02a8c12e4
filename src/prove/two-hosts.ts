/**
 * Two hosts and the network between them, as a search sees them: a state is four words, the numbers of the two hosts' states
 * and of the network's, and how much harm the network may still do.
 */
import { Network } from "./network.ts";
import type { System } from "./search.ts";
import { Side, type Actor, type Transition } from "./side.ts";

/** What the network may do, in all. */
export interface Harm {
  /** How many segments may stray: they arrive late, when others have overtaken them, or never. */
  readonly strays: number;
  /** How many segments may arrive, and have a copy that strays. */
  readonly copies: number;
}

/** With what it begins. */
export interface Beginning<H> {
  start: readonly [H, H];
  harms: readonly Harm[];
  /** For which host a segment is. */
  goesTo: (segment: number) => 0 | 1;
  /** How many ticks after it was sent a segment is no more. */
  life: number;
  /** What every state must be able to come to: both hosts are through; no segment is on its way. */
  end: "over" | "quiet" | undefined;
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

const A = 0;
const B = 1;
const NETWORK = 2;
const HARM = 3;

const KINDS = ["call", "deliver", "copy", "stray", "arrive", "timeout", "tick"] as const;
type Kind = (typeof KINDS)[number];
const KIND_NUMBERS = Object.fromEntries(KINDS.map((kind, i) => [kind, i])) as Record<Kind, number>;

function stepOf(kind: Kind, host: number, index = 0): number {
  return (index * 2 + host) * 8 + KIND_NUMBERS[kind];
}

/** Strays and copies that are left share a word. */
const STRAY = 1 << 8;

type Emit = (next: Int32Array, step: number) => void;

export class TwoHosts<H> implements System {
  readonly width = 4;
  readonly sides: readonly [Side<H>, Side<H>];
  readonly network: Network;
  readonly mayEnd?: (state: Int32Array) => boolean;
  readonly #next = new Int32Array(4);

  constructor(
    actors: readonly [Actor<H>, Actor<H>],
    readonly beginning: Beginning<H>,
  ) {
    this.sides = [new Side(actors[0]), new Side(actors[1])];
    this.network = new Network(beginning.life);
    const { end } = beginning;
    if (end) this.mayEnd = (state) => (end === "over" ? this.#isOver(state) : this.#isQuiet(state));
  }

  initial(emit: (state: Int32Array) => void): void {
    const { start, harms } = this.beginning;
    const [a, b] = [this.sides[A].number(start[A]), this.sides[B].number(start[B])];
    for (const { strays, copies } of harms) emit(Int32Array.of(a, b, this.network.quiet, strays * STRAY + copies));
  }

  /** Emits what a host's step leads to, if it can be taken. What it sends goes on its way. */
  #host(
    state: Int32Array,
    host: 0 | 1,
    transition: Transition | null,
    step: number,
    emit: Emit,
    network = state[NETWORK]!,
  ) {
    if (!transition) return;
    const next = this.#next;
    next.set(state);
    next[host] = transition.next;
    let after = network;
    const to = host === 0 ? 1 : 0;
    for (const segment of transition.sent) after = this.network.sent(after, to, segment);
    next[NETWORK] = after;
    emit(next, step);
  }

  /** What arrives comes first: of ways of one length, that is found on which nothing waits without need. */
  successors(state: Int32Array, emit: Emit): void {
    this.#deliver(state, A, emit);
    this.#deliver(state, B, emit);
    this.#arrive(state, emit);
    let due = false;
    for (const host of [A, B] as const) {
      const side = this.sides[host];
      const at = state[host]!;
      const look = side.look(at);
      for (let process = 0; process < look.processes; process++) {
        this.#host(state, host, side.call(at, process), stepOf("call", host, process), emit);
      }
      if (!look.due) continue;
      due = true;
      // Timers go off on the tick; a segment's life ends before it.
      const network = this.network.expired(state[NETWORK]!);
      this.#host(state, host, side.timeout(at), stepOf("timeout", host), emit, network);
    }
    if (!due) this.#tick(state, emit);
  }

  #deliver(state: Int32Array, host: 0 | 1, emit: Emit): void {
    const { network } = this;
    const at = state[NETWORK]!;
    const segment = network.traffic(at).queues[host][0];
    if (segment === undefined) return;
    const transition = this.sides[host].receive(state[host]!, segment);
    const harm = state[HARM]!;
    this.#host(state, host, transition, stepOf("deliver", host), emit, network.delivered(at, host));
    if (harm % STRAY > 0) {
      state[HARM] = harm - 1;
      this.#host(state, host, transition, stepOf("copy", host), emit, network.copied(at, host));
    }
    if (harm >= STRAY) {
      state[HARM] = harm - STRAY;
      this.#next.set(state);
      this.#next[NETWORK] = network.copied(at, host);
      emit(this.#next, stepOf("stray", host));
    }
    state[HARM] = harm;
  }

  #arrive(state: Int32Array, emit: Emit): void {
    const { network } = this;
    const at = state[NETWORK]!;
    for (const [i, { segment }] of network.traffic(at).strays.entries()) {
      const host = this.beginning.goesTo(segment);
      const transition = this.sides[host].receive(state[host]!, segment);
      this.#host(state, host, transition, stepOf("arrive", host, i), emit, network.arrived(at, i));
    }
  }

  #tick(state: Int32Array, emit: Emit): void {
    const network = this.network.later(state[NETWORK]!);
    if (network === undefined) return;
    const next = this.#next;
    next[A] = this.sides[A].tick(state[A]!)!.next;
    next[B] = this.sides[B].tick(state[B]!)!.next;
    next[NETWORK] = network;
    next[HARM] = state[HARM]!;
    emit(next, stepOf("tick", 0));
  }

  move(step: number): Move {
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

  violation(state: Int32Array): string | undefined {
    return this.sides[A].look(state[A]!).wrong ?? this.sides[B].look(state[B]!).wrong;
  }

  #isQuiet(state: Int32Array): boolean {
    return this.network.traffic(state[NETWORK]!).queues.every((queue) => queue.length === 0);
  }

  #isOver(state: Int32Array): boolean {
    return this.sides[A].look(state[A]!).over && this.sides[B].look(state[B]!).over;
  }
}
