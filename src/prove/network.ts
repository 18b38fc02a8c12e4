/**
 * The network of a search: what is on its way. It keeps the order and delivers before any time goes by, but for the segments that
 * stray: those arrive at any later moment of their life, or never. Its states are numbered, and what follows from one is looked up
 * where it has been found out before. Pure bookkeeping: what happens is decided elsewhere.
 */
import { Interner } from "./interner.ts";
import { Memo, UNKNOWN } from "./memo.ts";
import { Words } from "./words.ts";

/** A segment that has left the way, or a copy of one, and the ticks for which it may still arrive. */
export interface Stray {
  segment: number;
  to: 0 | 1;
  ticksLeft: number;
}

/** What is on its way at a moment. */
export interface Traffic {
  /** To either host, what was sent first in front. */
  readonly queues: readonly [readonly number[], readonly number[]];
  /** In ascending order: that in which they strayed means nothing. */
  readonly strays: readonly Stray[];
}

/** Nothing is on its way. */
export const QUIET = 0;
/** There is none. */
export const NONE = -1;

/** Where in a state's row what is: the heads of both queues, the strays, and then the states that follow. */
interface Columns {
  readonly head: number;
  readonly stray: number;
  readonly delivered: number;
  readonly copied: number;
  readonly arrived: number;
  readonly expired: number;
  readonly later: number;
  readonly width: number;
}

function columnsFor(straysMax: number): Columns {
  const [head, stray] = [0, 2];
  const delivered = stray + straysMax;
  const copied = delivered + 2;
  const arrived = copied + 2;
  const expired = arrived + straysMax;
  return { head, stray, delivered, copied, arrived, expired, later: expired + 1, width: expired + 2 };
}

/** What is known of a network, as numbers: all that is needed to go ways that have been gone before. */
export class NetworkTable {
  protected readonly columns: Columns;

  /** `straysMax`: so many stray at once, at most. In `rows` a number is kept as one more than it is: 0 is none. */
  constructor(
    readonly straysMax: number,
    readonly rows = new Words(),
    readonly sends = new Memo(),
  ) {
    this.columns = columnsFor(straysMax);
  }

  /** Those of another thread. */
  static of(straysMax: number, [rows, sends]: readonly Words[]): NetworkTable {
    return new NetworkTable(straysMax, rows, new Memo(sends));
  }

  get words(): Words[] {
    return [this.rows, this.sends.words];
  }

  #at(state: number, column: number): number {
    return this.rows.view[state * this.columns.width + column]! - 1;
  }

  /** The first segment on its way to this host, or `NONE`. */
  head(state: number, to: 0 | 1): number {
    return this.#at(state, this.columns.head + to);
  }

  /** The i-th of those that stray, and for whom it is, as 2 segment + to; or `NONE`. */
  stray(state: number, i: number): number {
    return i < this.straysMax ? this.#at(state, this.columns.stray + i) : NONE;
  }

  /** One more is sent to this host. */
  sent(state: number, to: 0 | 1, segment: number): number {
    const known = this.sends.get(state, 2 * segment + to);
    return known === UNKNOWN ? this.send(state, to, segment) : known;
  }

  /** The first on its way to this host has been delivered … */
  delivered(state: number, to: 0 | 1): number {
    return this.#known(state, this.columns.delivered + to);
  }

  /** … or it strays, or a copy of it does. */
  copied(state: number, to: 0 | 1): number {
    return this.#known(state, this.columns.copied + to);
  }

  /** The i-th of the strays has been delivered. */
  arrived(state: number, i: number): number {
    return this.#known(state, this.columns.arrived + i);
  }

  /** The last moment of those is over that may arrive in this tick, and not after it. */
  expired(state: number): number {
    return this.#known(state, this.columns.expired);
  }

  /** A tick later, if nothing is to be delivered before. Strays whose life is over are gone. */
  later(state: number): number {
    return this.#known(state, this.columns.later);
  }

  #known(state: number, column: number): number {
    const known = this.#at(state, column);
    return known === UNKNOWN ? this.learn(state, column) : known;
  }

  /** Who can, finds out; tables can't. */
  protected learn(_state: number, _column: number): number {
    return UNKNOWN;
  }
  protected send(_state: number, _to: 0 | 1, _segment: number): number {
    return UNKNOWN;
  }
}

function withQueue(queues: Traffic["queues"], to: 0 | 1, queue: readonly number[]): Traffic["queues"] {
  return to === 0 ? [queue, queues[1]] : [queues[0], queue];
}

export class Network extends NetworkTable {
  readonly #states = new Interner<Traffic>();

  /** `life`: so many ticks after it was sent a segment is no more; just before that it may still arrive. */
  constructor(
    readonly life: number,
    straysMax: number,
  ) {
    super(straysMax);
    this.#number({ queues: [[], []], strays: [] });
  }

  /** How many different states there have been. */
  get count(): number {
    return this.#states.count;
  }

  traffic(state: number): Traffic {
    return this.#states.value(state);
  }

  #number({ queues, strays }: Traffic): number {
    const sorted = strays.toSorted((a, b) => a.segment - b.segment || a.ticksLeft - b.ticksLeft);
    const key = `${queues.join(";")};${sorted.map(({ segment, ticksLeft }) => `${segment}@${ticksLeft}`).join()}`;
    const { count } = this;
    const state = this.#states.number(key, () => ({ queues, strays: sorted }));
    if (state === count) this.#write(state);
    return state;
  }

  #write(state: number): void {
    const { queues, strays } = this.traffic(state);
    const { head, stray, width } = this.columns;
    this.rows.reserve((state + 1) * width);
    const row = this.rows.view.subarray(state * width);
    for (const to of [0, 1] as const) row[head + to] = (queues[to][0] ?? NONE) + 1;
    for (const [i, { segment, to }] of strays.entries()) row[stray + i] = 2 * segment + to + 1;
  }

  /** What a column says comes next. */
  #after({ queues, strays }: Traffic, column: number): Traffic {
    const { delivered, copied, arrived, expired, later } = this.columns;
    if (column === later) {
      const left = strays.filter(({ ticksLeft }) => ticksLeft > 0);
      return { queues, strays: left.map((stray) => ({ ...stray, ticksLeft: stray.ticksLeft - 1 })) };
    }
    if (column === expired) return { queues, strays: strays.filter(({ ticksLeft }) => ticksLeft > 0) };
    if (column >= arrived) return { queues, strays: strays.toSpliced(column - arrived, 1) };
    const isCopied = column >= copied;
    const to = (column - (isCopied ? copied : delivered)) as 0 | 1;
    const [segment, ...rest] = queues[to];
    const stray = { segment: segment!, to, ticksLeft: this.life };
    return { queues: withQueue(queues, to, rest), strays: isCopied ? [...strays, stray] : strays };
  }

  protected override learn(state: number, column: number): number {
    const next = this.#number(this.#after(this.traffic(state), column));
    this.rows.view[state * this.columns.width + column] = next + 1;
    return next;
  }

  protected override send(state: number, to: 0 | 1, segment: number): number {
    const { queues, strays } = this.traffic(state);
    const next = this.#number({ queues: withQueue(queues, to, [...queues[to], segment]), strays });
    this.sends.set(state, 2 * segment + to, next);
    return next;
  }
}
