import { expect, test } from "vitest";
import { sipHash } from "../../src/tcp/initial-number.ts";

const count = (length: number) => Uint8Array.from({ length }, (_, i) => i);

// The vectors of the reference implementation (Aumasson and Bernstein, vectors.h), key 00 01 … 0f, as little-endian words.
test.each([
  [0, 0x726fdb47dd0e0e31n],
  [1, 0x74f839c593dc67fdn],
  [8, 0x93f5f5799a932462n],
  [15, 0xa129ca6149be45e5n],
])("SipHash-2-4 of the first %i bytes", (length, expected) => {
  expect(sipHash(count(16), count(length))).toBe(expected);
});
