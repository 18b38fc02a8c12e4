/**
 * The network of a search: what is on its way. It keeps the order and delivers before any time goes by, but for the segments that
 * stray: those arrive at any later moment of their life, or never. Its states are numbered, and what follows from one is looked up
 * where it has been found out before. Pure bookkeeping: what happens is decided elsewhere.
 */
import { Interner } from "./interner.ts";

/** A segment that has left the way, or a copy of one, and the ticks for which it may still arrive. */
export interface Stray {
  segment: number;
  ticksLeft: number;
}

/** What is on its way at a moment. */
export interface Traffic {
  /** To either host, what was sent first in front. */
  readonly queues: readonly [readonly number[], readonly number[]];
  /** In ascending order: that in which they strayed means nothing. */
  readonly strays: readonly Stray[];
}

/** A state and what has been found out of it. */
interface Known {
  traffic: Traffic;
  sent: [number[], number[]];
  delivered: [number?, number?];
  copied: [number?, number?];
  arrived: number[];
  expired: number | undefined;
  later: number | undefined;
}

export class Network {
  readonly #states = new Interner<Known>();
  /** Nothing is on its way. */
  readonly quiet: number;

  /** `life`: so many ticks after it was sent a segment is no more; just before that it may still arrive. */
  constructor(readonly life: number) {
    this.quiet = this.#number({ queues: [[], []], strays: [] });
  }

  /** How many different states there have been. */
  get count(): number {
    return this.#states.count;
  }

  #number({ queues, strays }: Traffic): number {
    const sorted = strays.toSorted((a, b) => a.segment - b.segment || a.ticksLeft - b.ticksLeft);
    const key = `${queues.join(";")};${sorted.map(({ segment, ticksLeft }) => `${segment}@${ticksLeft}`).join()}`;
    return this.#states.number(key, () => ({
      traffic: { queues, strays: sorted },
      sent: [[], []],
      delivered: [],
      copied: [],
      arrived: [],
      expired: undefined,
      later: undefined,
    }));
  }

  traffic(state: number): Traffic {
    return this.#states.value(state).traffic;
  }

  #with(state: number, to: 0 | 1, queue: readonly number[], strays?: readonly Stray[]): number {
    const { traffic } = this.#states.value(state);
    const queues: Traffic["queues"] = to === 0 ? [queue, traffic.queues[1]] : [traffic.queues[0], queue];
    return this.#number({ queues, strays: strays ?? traffic.strays });
  }

  #withStray(state: number, to: 0 | 1): number {
    const { queues, strays } = this.#states.value(state).traffic;
    const [segment, ...rest] = queues[to];
    return this.#with(state, to, rest, [...strays, { segment: segment!, ticksLeft: this.life }]);
  }

  /** One more is sent to this host. */
  sent(state: number, to: 0 | 1, segment: number): number {
    const { traffic, sent } = this.#states.value(state);
    return (sent[to][segment] ??= this.#with(state, to, [...traffic.queues[to], segment]));
  }

  /** The first on its way to this host has been delivered … */
  delivered(state: number, to: 0 | 1): number {
    const { traffic, delivered } = this.#states.value(state);
    return (delivered[to] ??= this.#with(state, to, traffic.queues[to].slice(1)));
  }

  /** … or it strays, or a copy of it does. */
  copied(state: number, to: 0 | 1): number {
    const { copied } = this.#states.value(state);
    return (copied[to] ??= this.#withStray(state, to));
  }

  /** The i-th of the strays has been delivered. */
  arrived(state: number, i: number): number {
    const { traffic, arrived } = this.#states.value(state);
    const { queues, strays } = traffic;
    return (arrived[i] ??= this.#number({ queues, strays: strays.toSpliced(i, 1) }));
  }

  /** The last moment of those is over that may arrive in this tick, and not after it. */
  expired(state: number): number {
    const known = this.#states.value(state);
    const { queues, strays } = known.traffic;
    return (known.expired ??= this.#number({ queues, strays: strays.filter(({ ticksLeft }) => ticksLeft > 0) }));
  }

  /** A tick later; undefined if something is to be delivered before. Strays whose life is over are gone. */
  later(state: number): number | undefined {
    const known = this.#states.value(state);
    const { queues, strays } = known.traffic;
    if (queues[0].length > 0 || queues[1].length > 0) return undefined;
    return (known.later ??= this.#number({
      queues,
      strays: strays
        .filter(({ ticksLeft }) => ticksLeft > 0)
        .map(({ segment, ticksLeft }) => ({ segment, ticksLeft: ticksLeft - 1 })),
    }));
  }
}
