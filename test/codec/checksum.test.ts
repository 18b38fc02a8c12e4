import fc from "fast-check";
import { expect, test } from "vitest";
import { foldChecksum, sumWords } from "../../src/codec/checksum.ts";
import { bytes } from "../support/bytes.ts";

const checksum = (input: Uint8Array) => foldChecksum(sumWords(input));

test("RFC 1071's own example", () => {
  // Section 3: the words 0001, f203, f4f5 and f6f7 sum up to 2ddf0, which folds to ddf2.
  expect(sumWords(bytes("0001 f203 f4f5 f6f7"))).toBe(0x2ddf0);
  expect(checksum(bytes("0001 f203 f4f5 f6f7"))).toBe(0xffff & ~0xddf2);
});

test("the header of a packet that a kernel sent", () => {
  const header = bytes("4500003c 55754000 4006 d132 0a090001 0a090002");
  expect(checksum(header)).toBe(0);
  header.fill(0, 10, 12);
  expect(checksum(header)).toBe(0xd132);
});

test("an odd last byte is a word's first", () => {
  expect(sumWords(bytes("ab"))).toBe(0xab00);
  expect(sumWords(bytes("0102 03"))).toBe(0x0102 + 0x0300);
  expect(sumWords(new Uint8Array())).toBe(0);
});

test("sums that fold more than once, and those of 32 bits and more", () => {
  expect(foldChecksum(0)).toBe(0xffff);
  expect(foldChecksum(0xffff)).toBe(0);
  expect(foldChecksum(0x1fffe)).toBe(0);
  expect(foldChecksum(0xffff_ffff)).toBe(0);
  expect(foldChecksum(0x1_0000_0000)).toBe(0xfffe);
  // The largest packet there is.
  expect(checksum(new Uint8Array(65_535).fill(0xff))).toBe(0x00ff);
});

test("is the remainder by 65535 of the whole as one number", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 99 }), (input) => {
      const even = input.length % 2 === 0 ? input : Uint8Array.of(...input, 0);
      const whole = BigInt(`0x0${Buffer.from(even).toString("hex")}`);
      expect((0xffff - checksum(input)) % 0xffff).toBe(Number(whole % 0xffffn));
    }),
  );
});

test("bytes may be summed in pieces of even length", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(30), (input, words) => {
      const cut = Math.min(2 * words, input.length & ~1);
      expect(sumWords(input.subarray(cut), sumWords(input.subarray(0, cut)))).toBe(sumWords(input));
    }),
  );
});
