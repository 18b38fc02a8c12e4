import { describe, expect, test } from "vitest";
import { NO_END, search, type System } from "../../src/prove/search.ts";
import { TlaTcp } from "./tla-tcp.ts";

const ROOM = { memory: 1 << 28 };

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
    expect(found.counterexample.steps.map(({ state }) => state[0])).toEqual([5]);
  });

  test("a circle that nothing leads out of is wrong", () => {
    const found = search(
      numbers((n) => [[1, 2], [9], [3], [2]][n] ?? [], ends),
      ROOM,
    );
    if (found.status !== "violated") throw new Error(found.status);
    expect(found.counterexample.steps.map(({ state }) => state[0])).toEqual([2]);
  });
});

describe("limits", () => {
  test("the memory is bounded", () => {
    const found = search(
      numbers((n) => [n + 1]),
      { memory: 1 << 20 },
    );
    expect(found).toMatchObject({ status: "unfinished", why: "memory" });
    expect(found.bytes).toBeLessThan(1 << 21);
  });

  test("it stops when it is told to, and says how far it came", () => {
    let told = 0;
    const found = search(
      numbers((n) => [n + 1, n]),
      { ...ROOM, onProgress: () => ++told < 3 },
    );
    expect(found).toMatchObject({ status: "unfinished", why: "stopped", distinct: 24_577, generated: 49_153 });
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
