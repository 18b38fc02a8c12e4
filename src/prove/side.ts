/**
 * One host of a search: all states that it has been in, numbered, and what follows from each. A host is a function of its
 * own state and of what happens to it, and it meets the same again and again, in ever other company; so each of its
 * steps is taken once, by the host itself, and looked up from then on.
 */
import { Interner } from "./interner.ts";

/** What can happen to a host: a process makes its next call, a segment arrives, a timer is due, time goes by. */
export type Happening =
  | { do: "call"; process: number }
  | { do: "receive"; segment: number }
  | { do: "timeout" }
  | { do: "tick" };

/** A host with its programs, as a function. A state is never changed in place. */
export interface Actor<H> {
  /** Two states are the same if nothing that can still happen tells them apart. */
  key(host: H): string;
  look(host: H): Look;
  /** What comes of it, and the numbers of the segments that are sent; undefined: it can't happen now. */
  after(host: H, happening: Happening): { host: H; sent: readonly number[] } | undefined;
}

/** What the search has to know of a state. */
export interface Look {
  processes: number;
  /** A timer's time has come: no time goes by before it has gone off. */
  due: boolean;
  /** Its programs have ended, and no connection is left. */
  over: boolean;
  wrong: string | undefined;
}

export interface Transition {
  next: number;
  sent: readonly number[];
}

interface Known<H> {
  host: H;
  look: Look;
  /** null: it can't happen. */
  calls: (Transition | null | undefined)[];
  receives: (Transition | null | undefined)[];
  timeout: Transition | null | undefined;
  tick: Transition | null | undefined;
}

export class Side<H> {
  readonly #states = new Interner<Known<H>>();

  constructor(readonly actor: Actor<H>) {}

  get count(): number {
    return this.#states.count;
  }

  number(host: H): number {
    return this.#states.number(this.actor.key(host), () => ({
      host,
      look: this.actor.look(host),
      calls: [],
      receives: [],
      timeout: undefined,
      tick: undefined,
    }));
  }

  host(state: number): H {
    return this.#states.value(state).host;
  }

  look(state: number): Look {
    return this.#states.value(state).look;
  }

  #take(host: H, happening: Happening): Transition | null {
    const result = this.actor.after(host, happening);
    return result ? { next: this.number(result.host), sent: result.sent } : null;
  }

  call(state: number, process: number): Transition | null {
    const { host, calls } = this.#states.value(state);
    const known = calls[process];
    if (known !== undefined) return known;
    return (calls[process] = this.#take(host, { do: "call", process }));
  }

  receive(state: number, segment: number): Transition | null {
    const { host, receives } = this.#states.value(state);
    const known = receives[segment];
    if (known !== undefined) return known;
    return (receives[segment] = this.#take(host, { do: "receive", segment }));
  }

  timeout(state: number): Transition | null {
    const known = this.#states.value(state);
    if (known.timeout === undefined) known.timeout = this.#take(known.host, { do: "timeout" });
    return known.timeout;
  }

  tick(state: number): Transition | null {
    const known = this.#states.value(state);
    if (known.tick === undefined) known.tick = this.#take(known.host, { do: "tick" });
    return known.tick;
  }
}
