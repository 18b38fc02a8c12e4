/**
 * One host of a search: all states that it has been in, numbered, and what follows from each. A host is a function of its
 * own state and of what happens to it, and it meets the same again and again, in ever other company; so each of its
 * steps is taken once, by the host itself, and looked up from then on.
 */
import { Interner } from "./interner.ts";
import { Memo, UNKNOWN } from "./memo.ts";
import { Words } from "./words.ts";

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

/** Happenings as numbers: a segment that arrives is its own. */
export const TIMEOUT = -1;
export const TICK = -2;
const CALL = -3;
export const callOf = (process: number) => CALL - process;

function happeningOf(number: number): Happening {
  if (number >= 0) return { do: "receive", segment: number };
  if (number === TIMEOUT) return { do: "timeout" };
  return number === TICK ? { do: "tick" } : { do: "call", process: CALL - number };
}

/** It can't happen; another number is where it is written what comes of it: the next state, how many are sent, and which. */
export const IMPOSSIBLE = 0;

const [DUE, OVER, WRONG, PROCESSES] = [1, 2, 4, 3];

/** What is known of a host, as numbers: all that is needed to go ways that have been gone before. */
export class SideTable {
  constructor(
    readonly looks = new Words(),
    readonly afters = new Memo(),
    readonly transitions = new Words(),
  ) {}

  /** Those of another thread. */
  static of([looks, afters, transitions]: readonly Words[]): SideTable {
    return new SideTable(looks, new Memo(afters), transitions);
  }

  get words(): Words[] {
    return [this.looks, this.afters.words, this.transitions];
  }

  isDue(state: number): boolean {
    return (this.looks.view[state]! & DUE) !== 0;
  }

  isOver(state: number): boolean {
    return (this.looks.view[state]! & OVER) !== 0;
  }

  isWrong(state: number): boolean {
    return (this.looks.view[state]! & WRONG) !== 0;
  }

  processes(state: number): number {
    return this.looks.view[state]! >>> PROCESSES;
  }

  /** The transition, `IMPOSSIBLE`, or `UNKNOWN`. */
  after(state: number, happening: number): number {
    const known = this.afters.get(state, happening);
    return known === UNKNOWN ? this.learn(state, happening) : known;
  }

  /** Who can, finds out; tables can't. */
  protected learn(_state: number, _happening: number): number {
    return UNKNOWN;
  }
}

export class Side<H> extends SideTable {
  readonly #hosts = new Interner<H>();
  #transitionsEnd = IMPOSSIBLE + 1;

  constructor(readonly actor: Actor<H>) {
    super();
  }

  get count(): number {
    return this.#hosts.count;
  }

  number(host: H): number {
    const { count } = this;
    const state = this.#hosts.number(this.actor.key(host), () => host);
    if (state === count) this.#writeLook(state, this.actor.look(host));
    return state;
  }

  #writeLook(state: number, { processes, due, over, wrong }: Look): void {
    const flags = (due ? DUE : 0) | (over ? OVER : 0) | (wrong === undefined ? 0 : WRONG);
    this.looks.reserve(state + 1);
    this.looks.view[state] = (processes << PROCESSES) | flags;
  }

  host(state: number): H {
    return this.#hosts.value(state);
  }

  /** What is wrong with a state that is. */
  wrong(state: number): string | undefined {
    return this.isWrong(state) ? this.actor.look(this.host(state)).wrong : undefined;
  }

  protected override learn(state: number, happening: number): number {
    const result = this.actor.after(this.host(state), happeningOf(happening));
    const transition = result ? this.#writeTransition(this.number(result.host), result.sent) : IMPOSSIBLE;
    this.afters.set(state, happening, transition);
    return transition;
  }

  #writeTransition(next: number, sent: readonly number[]): number {
    const transition = this.#transitionsEnd;
    this.#transitionsEnd += 2 + sent.length;
    this.transitions.reserve(this.#transitionsEnd);
    this.transitions.view.set([next, sent.length, ...sent], transition);
    return transition;
  }
}
