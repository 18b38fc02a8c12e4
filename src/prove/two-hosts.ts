/** Two hosts and the network between them, as a search sees them: src/prove/ways.ts tells what a state is. */
import { Network, NetworkTable, NONE, QUIET } from "./network.ts";
import type { System } from "./search.ts";
import { Side, SideTable, type Actor } from "./side.ts";
import { NETWORK, STRAY, Ways, WIDTH } from "./ways.ts";

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

export class TwoHosts<H> implements System {
  readonly width = WIDTH;
  readonly sides: readonly [Side<H>, Side<H>];
  readonly network: Network;
  readonly mayEnd?: (state: Int32Array) => boolean;
  readonly #ways: Ways;
  /** Those that have been found. */
  readonly ways: Ways;

  constructor(
    actors: readonly [Actor<H>, Actor<H>],
    readonly beginning: Beginning<H>,
  ) {
    const { end, harms, life } = beginning;
    this.sides = [new Side(actors[0]), new Side(actors[1])];
    this.network = new Network(life, Math.max(...harms.map(({ strays, copies }) => strays + copies)));
    this.#ways = new Ways(this.sides, this.network);
    const [a, b] = this.sides.map(({ words }) => SideTable.of(words));
    this.ways = new Ways([a!, b!], NetworkTable.of(this.network.straysMax, this.network.words));
    if (end) this.mayEnd = (state) => (end === "over" ? this.#isOver(state) : this.#isQuiet(state));
  }

  initial(emit: (state: Int32Array) => void): void {
    const { start, harms } = this.beginning;
    const [a, b] = [this.sides[0].number(start[0]), this.sides[1].number(start[1])];
    for (const { strays, copies } of harms) emit(Int32Array.of(a, b, QUIET, strays * STRAY + copies));
  }

  successors(state: Int32Array, emit: (next: Int32Array, step: number) => void): void {
    this.#ways.successors(state, emit);
  }

  violation(state: Int32Array): string | undefined {
    return this.sides[0].wrong(state[0]!) ?? this.sides[1].wrong(state[1]!);
  }

  #isQuiet(state: Int32Array): boolean {
    return ([0, 1] as const).every((host) => this.network.head(state[NETWORK]!, host) === NONE);
  }

  #isOver(state: Int32Array): boolean {
    return this.sides[0].isOver(state[0]!) && this.sides[1].isOver(state[1]!);
  }
}
