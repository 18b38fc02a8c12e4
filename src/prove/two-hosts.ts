/** Two hosts and the network between them, as a search sees them: src/prove/ways.ts tells what a state is. */
import { EMPTY, Queues, Strays, type Stray } from "./network.ts";
import type { System } from "./search.ts";
import { Side, type Actor } from "./side.ts";
import { QUEUE, setOf, STRAYS, strayWord, Ways, WIDTH } from "./ways.ts";

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
  /** How many ticks after it was sent a segment is no more. */
  life: number;
  /** What every state must be able to come to: both hosts are through; no segment is on its way. */
  end: "over" | "quiet" | undefined;
}

/** What is on its way at a moment. */
export interface Traffic {
  /** To either host, what was sent first in front. */
  readonly queues: readonly [readonly number[], readonly number[]];
  /** In ascending order. */
  readonly strays: readonly Stray[];
}

export class TwoHosts<H> implements System {
  readonly width = WIDTH;
  readonly sides: readonly [Side<H>, Side<H>];
  readonly ways: Ways;
  readonly mayEnd?: (state: Int32Array) => boolean;
  readonly #queues = new Queues();
  readonly #strays: Strays;
  readonly #ways: Ways;

  constructor(
    actors: readonly [Actor<H>, Actor<H>],
    readonly beginning: Beginning<H>,
  ) {
    const { end, harms, life } = beginning;
    this.sides = [new Side(actors[0]), new Side(actors[1])];
    this.#strays = new Strays(life, Math.max(...harms.map(({ strays, copies }) => strays + copies)));
    this.#ways = new Ways(this.sides, this.#queues, this.#strays);
    this.ways = this.#ways.known();
    if (end) this.mayEnd = (state) => (end === "over" ? this.#isOver(state) : this.#isQuiet(state));
  }

  initial(emit: (state: Int32Array) => void): void {
    const { start, harms } = this.beginning;
    const [a, b] = [this.sides[0].number(start[0]), this.sides[1].number(start[1])];
    for (const { strays, copies } of harms) {
      emit(Int32Array.of(a, b, EMPTY, EMPTY, strayWord(EMPTY, strays, copies)));
    }
  }

  successors(state: Int32Array, emit: (next: Int32Array, step: number) => void): void {
    this.#ways.successors(state, emit);
  }

  violation(state: Int32Array): string | undefined {
    return this.sides[0].wrong(state[0]!) ?? this.sides[1].wrong(state[1]!);
  }

  traffic(state: Int32Array): Traffic {
    const [a, b] = [0, 1].map((to) => this.#queues.segments(state[QUEUE + to]!));
    return { queues: [a!, b!], strays: this.#strays.strays(setOf(state[STRAYS]!)) };
  }

  #isQuiet(state: Int32Array): boolean {
    return state[QUEUE] === EMPTY && state[QUEUE + 1] === EMPTY;
  }

  #isOver(state: Int32Array): boolean {
    return this.sides[0].isOver(state[0]!) && this.sides[1].isOver(state[1]!);
  }
}
