/**
 * The network of a search: what is on its way. It keeps the order and delivers before any time goes by, but for the segments that
 * stray: those arrive at any later moment of their life, or never. All queues that there have been are numbered, and all sets of
 * strays: there are few, in ever other company. Pure bookkeeping: what happens is decided elsewhere.
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

/** The queue with nothing in it, and the set of no strays. */
export const EMPTY = 0;
/** There is none. */
export const NONE = -1;

const [HEAD, TAIL, QUEUE_WIDTH] = [0, 1, 2];

/** What is known of the queues of segments on their way to a host, what was sent first in front. */
export class QueueTable {
  constructor(
    readonly rows = new Words(),
    readonly appends = new Memo(),
  ) {}

  /** Those of another thread. */
  static of([rows, appends]: readonly Words[]): QueueTable {
    return new QueueTable(rows, new Memo(appends));
  }

  get words(): Words[] {
    return [this.rows, this.appends.words];
  }

  /** The first segment, or `NONE`. */
  head(queue: number): number {
    return this.rows.view[queue * QUEUE_WIDTH + HEAD]! - 1;
  }

  /** The queue without its first. */
  tail(queue: number): number {
    return this.rows.view[queue * QUEUE_WIDTH + TAIL]!;
  }

  /** The queue with one more, or `UNKNOWN`. */
  appended(queue: number, segment: number): number {
    const known = this.appends.get(queue, segment);
    return known === UNKNOWN ? this.learn(queue, segment) : known;
  }

  /** Who can, finds out; tables can't. */
  protected learn(_queue: number, _segment: number): number {
    return UNKNOWN;
  }
}

export class Queues extends QueueTable {
  readonly #queues = new Interner<readonly number[]>();

  constructor() {
    super();
    this.#number([]);
  }

  segments(queue: number): readonly number[] {
    return this.#queues.value(queue);
  }

  #number(segments: readonly number[]): number {
    const { count } = this.#queues;
    const queue = this.#queues.number(segments.join(), () => segments);
    if (queue < count) return queue;
    this.rows.reserve((queue + 1) * QUEUE_WIDTH);
    const tail = segments.length > 1 ? this.#number(segments.slice(1)) : EMPTY;
    this.rows.view.set([(segments[0] ?? NONE) + 1, tail], queue * QUEUE_WIDTH);
    return queue;
  }

  protected override learn(queue: number, segment: number): number {
    const next = this.#number([...this.segments(queue), segment]);
    this.appends.set(queue, segment, next);
    return next;
  }
}

/** What is known of the sets of strays. A stray is written as 2 segment + to. */
export class StrayTable {
  /** A set's row: its strays, each as one more than it is; the set without each of them; what expiry leaves; a tick later. */
  protected readonly width: number;

  /** `max`: so many stray at once, at most. */
  constructor(
    readonly max: number,
    readonly rows = new Words(),
    readonly adds = new Memo(),
  ) {
    this.width = 2 * max + 2;
  }

  /** Those of another thread. */
  static of(max: number, [rows, adds]: readonly Words[]): StrayTable {
    return new StrayTable(max, rows, new Memo(adds));
  }

  get words(): Words[] {
    return [this.rows, this.adds.words];
  }

  /** The i-th, or `NONE`. */
  at(set: number, i: number): number {
    return i < this.max ? this.rows.view[set * this.width + i]! - 1 : NONE;
  }

  /** The set without its i-th. */
  without(set: number, i: number): number {
    return this.rows.view[set * this.width + this.max + i]!;
  }

  /** The last moment of those is over that may arrive in this tick, and not after it. */
  expired(set: number): number {
    return this.rows.view[set * this.width + 2 * this.max]!;
  }

  /** A tick later. Those whose life is over are gone. */
  later(set: number): number {
    return this.rows.view[set * this.width + 2 * this.max + 1]!;
  }

  /** The set with one more, or `UNKNOWN`. */
  added(set: number, segment: number, to: 0 | 1): number {
    const known = this.adds.get(set, 2 * segment + to);
    return known === UNKNOWN ? this.learn(set, segment, to) : known;
  }

  /** Who can, finds out; tables can't. */
  protected learn(_set: number, _segment: number, _to: 0 | 1): number {
    return UNKNOWN;
  }
}

export class Strays extends StrayTable {
  readonly #sets = new Interner<readonly Stray[]>();

  /** `life`: so many ticks after it was sent a segment is no more; just before that it may still arrive. */
  constructor(
    readonly life: number,
    max: number,
  ) {
    super(max);
    this.#number([]);
  }

  strays(set: number): readonly Stray[] {
    return this.#sets.value(set);
  }

  /** In which order they strayed means nothing. */
  #number(strays: readonly Stray[]): number {
    const sorted = strays.toSorted((a, b) => a.segment - b.segment || a.ticksLeft - b.ticksLeft);
    const key = sorted.map(({ segment, to, ticksLeft }) => `${segment}>${to}@${ticksLeft}`).join();
    const { count } = this.#sets;
    const set = this.#sets.number(key, () => sorted);
    if (set < count) return set;
    this.rows.reserve((set + 1) * this.width);
    const left = sorted.filter(({ ticksLeft }) => ticksLeft > 0);
    const row = [
      ...this.#filled(sorted.map(({ segment, to }) => 2 * segment + to + 1)),
      ...this.#filled(sorted.map((_, i) => this.#number(sorted.toSpliced(i, 1)))),
      left.length < sorted.length ? this.#number(left) : set,
      sorted.length === 0 ? set : this.#number(left.map((stray) => ({ ...stray, ticksLeft: stray.ticksLeft - 1 }))),
    ];
    this.rows.view.set(row, set * this.width);
    return set;
  }

  #filled(numbers: readonly number[]): number[] {
    return [...numbers, ...Array.from({ length: this.max - numbers.length }, () => 0)];
  }

  protected override learn(set: number, segment: number, to: 0 | 1): number {
    const next = this.#number([...this.strays(set), { segment, to, ticksLeft: this.life }]);
    this.adds.set(set, 2 * segment + to, next);
    return next;
  }
}
