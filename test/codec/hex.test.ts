import fc from "fast-check";
import { expect, test } from "vitest";
import { fromHex, toHex } from "../../src/codec/hex.ts";

test("bytes are written as two digits each", () => {
  expect(toHex(Uint8Array.of(0, 1, 0xa5, 0xff))).toBe("0001a5ff");
  expect(toHex(new Uint8Array())).toBe("");
  expect(fromHex("0001A5ff")).toEqual(Uint8Array.of(0, 1, 0xa5, 0xff));
});

test("bytes survive being written and read", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(fromHex(toHex(bytes))).toEqual(bytes);
    }),
  );
});

test.each(["0", "000", "0g", "0x00", " 00", "00\n", "-1", "1.", "0 00", "é0"])("%j is not hexadecimal", (text) => {
  expect(fromHex(text)).toBeUndefined();
});
