import fc from "fast-check";
import { expect, test } from "vitest";
import { dataBytes, dataLength } from "../../src/call/call.ts";

test("repeated data are the text over and over, cut to the length", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 9 }), fc.nat({ max: 300 }), (repeat, length) => {
      const text = Buffer.from(repeat);
      const expected = Buffer.from(Array.from({ length }, (_, i) => text[i % text.length]!));
      expect(Buffer.from(dataBytes({ repeat, length }))).toEqual(expected);
      expect(dataLength({ repeat, length })).toBe(length);
    }),
  );
});

test("nothing repeated is zeroes: the length is what was asked for", () => {
  expect(dataBytes({ repeat: "", length: 3 })).toEqual(new Uint8Array(3));
});
