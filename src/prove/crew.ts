/**
 * Threads that do a piece of work together, turn by turn: one leads, says what is to be done, does its own share and waits for
 * the others'. They speak through shared memory alone, since turns are short.
 */
const [TURN, HELPERS, CLAIMED, DONE, FAILED, TASK, MEMBERS, ARGUMENTS] = [0, 1, 2, 3, 4, 5, 6, 7];
const ARGUMENTS_MAX = 2;
/** Shares take milliseconds: after so long a thread is no more. */
const PATIENCE_MS = 60_000;

/** A member's share of a turn: what is to be done, with which numbers. */
export type Work = (task: number, numbers: readonly number[]) => void;

export class Crew {
  readonly words: Int32Array;

  constructor(readonly memory = sharedIfPossible((ARGUMENTS + ARGUMENTS_MAX) * 4)) {
    this.words = new Int32Array(memory);
  }

  /** How many help whoever leads. */
  get helpers(): number {
    return Atomics.load(this.words, HELPERS);
  }

  /** The next piece of the turn's that nobody has taken. */
  claim(): number {
    return Atomics.add(this.words, CLAIMED, 1);
  }

  /** Leads a turn, which is over when all have done their share; or takes it alone. */
  lead(task: number, numbers: readonly number[], work: Work, isShared = true): void {
    const { words } = this;
    Atomics.store(words, CLAIMED, 0);
    if (!isShared) {
      work(task, numbers);
      return;
    }
    const { helpers } = this;
    words.set([task, 1 + helpers, ...numbers], TASK);
    Atomics.store(words, DONE, 0);
    Atomics.add(words, TURN, 1);
    Atomics.notify(words, TURN);
    work(task, numbers);
    for (let done; (done = Atomics.load(words, DONE)) < helpers;) {
      if (Atomics.wait(words, DONE, done, PATIENCE_MS) === "timed-out")
        throw new Error("a thread of the search has gone");
    }
    if (Atomics.load(words, FAILED)) throw new Error("a thread of the search has failed");
  }

  /** Helps, for ever: the thread ends when it is ended. */
  help(work: Work): never {
    const { words } = this;
    let turn = Atomics.load(words, TURN);
    const member = Atomics.add(words, HELPERS, 1) + 1;
    for (;;) {
      Atomics.wait(words, TURN, turn);
      turn = Atomics.load(words, TURN);
      const [task, members] = [words[TASK]!, words[MEMBERS]!];
      const numbers = [...words.subarray(ARGUMENTS)];
      // Who was not counted in a turn has read what may be of the next one.
      if (member >= members || turn !== Atomics.load(words, TURN)) continue;
      try {
        work(task, numbers);
      } catch (error) {
        Atomics.store(words, FAILED, 1);
        throw error;
      } finally {
        Atomics.add(words, DONE, 1);
        Atomics.notify(words, DONE);
      }
    }
  }
}

/** Where threads can share no memory, nobody will help. */
function sharedIfPossible(bytes: number): SharedArrayBuffer | ArrayBuffer {
  return typeof SharedArrayBuffer === "undefined" ? new ArrayBuffer(bytes) : new SharedArrayBuffer(bytes);
}
