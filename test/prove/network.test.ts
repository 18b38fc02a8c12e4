/** The network of a search: what is on its way, and what may become of it. */
import { expect, test } from "vitest";
import { EMPTY, NONE, Queues, Strays } from "../../src/prove/network.ts";

const LIFE = 2;
const [A, B] = [7, 8];

test("what is sent is delivered in its order", () => {
  const queues = new Queues();
  const both = queues.appended(queues.appended(EMPTY, A), B);
  expect(queues.segments(both)).toEqual([A, B]);
  expect(queues.head(both)).toBe(A);
  expect(queues.segments(queues.tail(both))).toEqual([B]);
  expect(queues.tail(queues.tail(both))).toBe(EMPTY);
  expect(queues.head(EMPTY)).toBe(NONE);
  expect(queues.tail(both)).toBe(queues.appended(EMPTY, B));
});

const straysOf = (strays: Strays, set: number) =>
  strays.strays(set).map(({ segment, ticksLeft }) => [segment, ticksLeft]);

test("what strays lives for two ticks, in the third of which it may only come before the timers", () => {
  const strays = new Strays(LIFE, 2);
  let set = strays.added(EMPTY, A, 1);
  expect(straysOf(strays, set)).toEqual([[A, 2]]);
  expect(strays.at(set, 0)).toBe(2 * A + 1);
  expect(strays.at(set, 1)).toBe(NONE);
  set = strays.later(set);
  expect(strays.expired(set)).toBe(set);
  set = strays.later(set);
  expect(straysOf(strays, set)).toEqual([[A, 0]]);
  expect(strays.expired(set)).toBe(EMPTY);
  expect(strays.later(set)).toBe(EMPTY);
  expect(strays.without(set, 0)).toBe(EMPTY);
  expect(strays.later(EMPTY)).toBe(EMPTY);
});

test("in which order segments strayed makes no difference, for whom they are does", () => {
  const strays = new Strays(LIFE, 2);
  const both = strays.added(strays.added(EMPTY, A, 1), B, 1);
  expect(strays.added(strays.added(EMPTY, B, 1), A, 1)).toBe(both);
  expect(straysOf(strays, both)).toEqual([
    [A, 2],
    [B, 2],
  ]);
  expect(strays.added(EMPTY, A, 0)).not.toBe(strays.added(EMPTY, A, 1));
});

test("of strays of different age each may come first, or expire alone", () => {
  const strays = new Strays(LIFE, 2);
  const set = strays.later(strays.added(strays.later(strays.added(EMPTY, B, 1)), A, 0));
  expect(straysOf(strays, set)).toEqual([
    [A, 1],
    [B, 0],
  ]);
  expect(straysOf(strays, strays.without(set, 0))).toEqual([[B, 0]]);
  expect(straysOf(strays, strays.without(set, 1))).toEqual([[A, 1]]);
  expect(straysOf(strays, strays.expired(set))).toEqual([[A, 1]]);
  expect(straysOf(strays, strays.later(set))).toEqual([[A, 0]]);
});
