import { describe, expect, test } from "vitest";
import { NO_END, Search, search, type System } from "../../src/prove/search.ts";
import { TlaTcp } from "./tla-tcp.ts";

const ROOM = 1 << 28;

/** Numbers, from 0, by steps that are given. */
function numbers(next: (n: number) => readonly number[], more: Partial<System> = {}): System {
  const row = new Int32Array(1);
  const send = (n: number) => ((row[0] = n), row);
  return {
    width: 1,
    initial: (emit) => emit(send(0)),
    successors: ([n], emit) => next(n!).forEach((value, step) => emit(send(value), step)),
    ...more,
  };
}

test("TLA+ Examples' tcp: TLC's 1,182 distinct states, 6,322 generated, depth 14", () => {
  const tcp = new TlaTcp();
  const found = search(tcp, ROOM);
  expect(found).toMatchObject({ status: "holds", distinct: 1182, depth: 14, waiting: 0 });
  expect(found.generated + tcp.leftOut).toBe(6322);
});

describe("a wrong state", () => {
  test("is come to by a shortest way", () => {
    const system = numbers((n) => [n + 1, n + 7, 2 * n], {
      violation: ([n]) => (n === 100 ? "it is 100" : undefined),
    });
    const found = search(system, ROOM);
    if (found.status !== "violated") throw new Error(found.status);
    const { because, initial, steps } = found.counterexample;
    expect(because).toBe("it is 100");
    expect([...initial]).toEqual([0]);
    const values = [0, ...steps.map(({ state }) => state[0]!)];
    expect(values.at(-1)).toBe(100);
    for (const [i, { step }] of steps.entries()) {
      const before = values[i]!;
      expect([before + 1, before + 7, 2 * before][step]).toBe(values[i + 1]);
    }
    expect(found.depth).toBe(steps.length + 1);
    expect(steps.length).toBe(shortest(100, (n) => [n + 1, n + 7, 2 * n]));
  });

  test("is looked for among the initial ones too", () => {
    const found = search(
      numbers(() => [], { violation: () => "it is" }),
      ROOM,
    );
    expect(found).toMatchObject({ status: "violated", depth: 1, counterexample: { because: "it is", steps: [] } });
  });
});

function shortest(goal: number, next: (n: number) => number[]): number {
  let level = new Set([0]);
  for (let length = 0; ; length++) {
    if (level.has(goal)) return length;
    level = new Set([...level].flatMap(next));
  }
}

describe("where it must be able to end", () => {
  const ends = { mayEnd: ([n]: Int32Array) => n === 9 };

  test("it holds if every state leads to an end, also through a circle", () => {
    expect(
      search(
        numbers((n) => (n < 9 ? [n + 1, 0] : []), ends),
        ROOM,
      ),
    ).toMatchObject({ status: "holds" });
  });

  test("a state without successors is wrong", () => {
    const found = search(
      numbers((n) => [[1, 5], [9], [], [], [], [6]][n] ?? [], ends),
      ROOM,
    );
    if (found.status !== "violated") throw new Error(found.status);
    expect(found.counterexample.because).toBe(NO_END);
    expect(found.counterexample.steps.map(({ state }) => state[0])).toEqual([5, 6]);
  });

  test("of what leads to no end, it is shown where nothing happens any more", () => {
    const found = search(
      numbers((n) => [[1, 2], [9], [3], [4, 2], [4]][n] ?? [], ends),
      ROOM,
    );
    if (found.status !== "violated") throw new Error(found.status);
    expect(found.counterexample.steps.map(({ state }) => state[0])).toEqual([2, 3, 4]);
  });

  test("a circle that nothing leads out of is wrong, and gone round once", () => {
    const found = search(
      numbers((n) => [[1, 2], [9], [3], [2]][n] ?? [], ends),
      ROOM,
    );
    if (found.status !== "violated") throw new Error(found.status);
    expect(found.counterexample.steps.map(({ state }) => state[0])).toEqual([2, 3, 2]);
  });
});

test("whether it can end is asked also where the last state is looked at with the last that may be", () => {
  const one = new Search(
    numbers((n) => (n < 2 ? [n + 1] : []), { mayEnd: () => false }),
    ROOM,
  );
  expect(one.advance(2)).toBeUndefined();
  expect(one.advance(1)).toMatchObject({
    status: "violated",
    counterexample: { because: NO_END, steps: [{ step: 0 }, { step: 0 }] },
  });
});

describe("limits", () => {
  test("the memory is bounded", () => {
    const found = search(
      numbers((n) => [n + 1]),
      1 << 20,
    );
    expect(found).toMatchObject({ status: "unfinished", why: "memory" });
    expect(found.bytes).toBeLessThan(1 << 21);
  });

  test("it goes on for as long as it is told to, and says how far it has come", () => {
    const one = new Search(
      numbers((n) => (n < 1000 ? [n + 1, n] : [])),
      ROOM,
    );
    expect(one.advance(300)).toBeUndefined();
    expect(one.stop()).toMatchObject({
      status: "unfinished",
      why: "stopped",
      distinct: 301,
      generated: 601,
      waiting: 1,
    });
    expect(one.advance(300)).toBeUndefined();
    expect(one.advance(500)).toMatchObject({ status: "holds", distinct: 1001, generated: 2001, depth: 1001 });
  });
});

test("a million states of four words are kept apart, in less than 40 bytes each", () => {
  const row = new Int32Array(4);
  const found = search(
    {
      width: 4,
      initial: (emit) => emit(row.fill(0)),
      successors: (state, emit) => {
        for (let i = 0; i < 4; i++) {
          row.set(state);
          if (++row[i]! < 32) emit(row, i);
        }
      },
    },
    ROOM,
  );
  expect(found).toMatchObject({ status: "holds", distinct: 32 ** 4, depth: 4 * 31 + 1 });
  expect(found.bytes / found.distinct).toBeLessThan(40);
});
