import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seq, seqAdd, seqDiff, seqLe, seqLt } from "../../src/codec/seq.ts";

const WRAP = 2 ** 32;
const HALF = 2 ** 31;
const number = fc.nat(WRAP - 1).map(seq);
/** Distances that two numbers can have: what a window can span, and more. */
const distance = fc.integer({ min: 1 - HALF, max: HALF - 1 });

test("numbers are taken modulo 2^32", () => {
  expect(seq(WRAP)).toBe(0);
  expect(seq(-1)).toBe(WRAP - 1);
  expect(seqAdd(seq(WRAP - 1), 2)).toBe(1);
  expect(seqAdd(seq(1), -2)).toBe(WRAP - 1);
});

test("the last number before the wrap is before the first after it", () => {
  const [last, first] = [seq(WRAP - 1), seq(0)];
  expect(seqDiff(first, last)).toBe(1);
  expect(seqDiff(last, first)).toBe(-1);
  expect(seqLt(last, first)).toBe(true);
  expect(seqLt(first, last)).toBe(false);
});

describe("order, anywhere on the circle", () => {
  test("a number's distance is what was added to it", () => {
    fc.assert(
      fc.property(number, distance, (from, far) => {
        expect(seqDiff(seqAdd(from, far), from)).toBe(far);
        expect(seqLt(from, seqAdd(from, far))).toBe(far > 0);
        expect(seqLe(from, seqAdd(from, far))).toBe(far >= 0);
      }),
    );
  });

  test("of two numbers at most half the circle apart one is less, or they are equal", () => {
    fc.assert(
      fc.property(number, distance, (one, far) => {
        const other = seqAdd(one, far);
        expect([seqLt(one, other), one === other, seqLt(other, one)].filter(Boolean)).toHaveLength(1);
        expect(seqLe(one, other)).toBe(!seqLt(other, one));
      }),
    );
  });

  test("does not depend on where on the circle one is", () => {
    fc.assert(
      fc.property(number, number, number, (one, other, shift) => {
        expect(seqLt(seqAdd(one, shift), seqAdd(other, shift))).toBe(seqLt(one, other));
      }),
    );
  });

  test("is carried over, as long as all three are within half the circle", () => {
    const step = fc.integer({ min: 1, max: HALF / 2 - 1 });
    fc.assert(
      fc.property(number, step, step, (one, near, far) => {
        const [two, three] = [seqAdd(one, near), seqAdd(one, near + far)];
        expect([seqLt(one, two), seqLt(two, three), seqLt(one, three)]).toEqual([true, true, true]);
      }),
    );
  });

  test("of two numbers exactly half the circle apart each is before the other, as the kernel's before() has it", () => {
    fc.assert(
      fc.property(number, (one) => {
        const opposite = seqAdd(one, HALF);
        expect([seqLt(one, opposite), seqLt(opposite, one)]).toEqual([true, true]);
      }),
    );
  });
});
