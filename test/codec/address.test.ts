import { isIP } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatIp, isV4Mapped, matchesPrefix, parseIp } from "../../src/codec/address.ts";

const v4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
/** Addresses with many zero words: where abbreviation is decided. */
const v6 = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })
  .map((words) => Uint8Array.from(words.flatMap((word) => [word >> 8, word & 255])));

test("addresses survive being written and read", () => {
  fc.assert(
    fc.property(fc.oneof(v4, v6), (bytes) => {
      expect(parseIp(formatIp(bytes))).toEqual(bytes);
    }),
  );
});

test("IPv6 addresses are written as the WHATWG URL standard writes them (RFC 5952), v4-mapped ones excepted", () => {
  fc.assert(
    fc.property(v6, (bytes) => {
      fc.pre(!isV4Mapped(bytes));
      const hex = Buffer.from(bytes).toString("hex").match(/.{4}/g)!.join(":");
      expect(`[${formatIp(bytes)}]`).toBe(new URL(`http://[${hex}]/`).hostname);
    }),
  );
});

test("text is an address exactly when Node says so (zones aside)", () => {
  const piece = fc.oneof(
    fc.constantFrom("::", ":", ".", "0", "255", "256", "ffff", "1.2.3.4", "g", "00001"),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
      const text = pieces.join("");
      fc.pre(!text.includes("%"));
      expect(parseIp(text) !== undefined, text).toBe(isIP(text) !== 0);
    }),
    { numRuns: 5000 },
  );
});

test.each([
  ["::ffff:127.0.0.1", "::ffff:127.0.0.1"],
  ["::FFFF:7f00:1", "::ffff:127.0.0.1"],
  ["0:0:0:0:0:0:0:0", "::"],
  ["1::", "1::"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
])("%s is written %s", (text, canonical) => {
  expect(formatIp(parseIp(text)!)).toBe(canonical);
});

test("a prefix compares exactly its bits", () => {
  fc.assert(
    fc.property(v6, v6, fc.integer({ min: 0, max: 128 }), (a, b, prefix) => {
      const bits = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
      expect(matchesPrefix(a, b, prefix)).toBe(bits(a).slice(0, prefix) === bits(b).slice(0, prefix));
    }),
  );
});
