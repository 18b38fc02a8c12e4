import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeTcpInfo, encodeTcpInfo, TCP_INFO_LENGTH } from "../../src/codec/tcp-info.ts";
import { bytes } from "../support/bytes.ts";

test("fields lie where the kernel's header puts them", () => {
  const info = decodeTcpInfo(bytes("01 00 02 03 04 07 78 01  400d0300 409c0000"));
  expect(info).toEqual({
    state: 1,
    caState: 0,
    retransmits: 2,
    probes: 3,
    backoff: 4,
    options: 7,
    windowScales: 0x78,
    flags: 1,
    rtoUs: 200_000,
    atoUs: 40_000,
  });
});

test("an older kernel's shorter structure gives its fields; a newer one's longer one is cut", () => {
  const full = decodeTcpInfo(new Uint8Array(TCP_INFO_LENGTH + 64).fill(1));
  // Linux 2.6 to 3.14 sent 104 bytes, up to total_retrans.
  const old = decodeTcpInfo(new Uint8Array(104).fill(1));
  expect(Object.keys(old).at(-1)).toBe("totalRetrans");
  expect(full).toMatchObject(old);
  expect(Object.keys(full).length).toBeGreaterThan(Object.keys(old).length);
});

test("what was cut in the middle of a field lacks that field, and survives encoding and decoding", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: TCP_INFO_LENGTH + 20 }), (input) => {
      const info = decodeTcpInfo(input);
      const encoded = encodeTcpInfo(info);
      expect(encoded).toEqual(input.slice(0, encoded.length));
      expect(input.length - encoded.length < 8 || encoded.length === TCP_INFO_LENGTH).toBe(true);
      expect(decodeTcpInfo(encoded)).toEqual(info);
    }),
  );
});
