import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seq } from "../../src/codec/seq.ts";
import {
  ACK,
  decodeTcp,
  encodeTcp,
  FIN,
  flagBits,
  flagNames,
  RST,
  sequenceLength,
  SYN,
  TCP_FLAGS,
  type TcpOption,
  type TcpSegment,
} from "../../src/codec/tcp.ts";
import { bytes, surrounded } from "../support/bytes.ts";

//                 ports     seq      ack      offset flags  window checksum urgent
const PLAIN = bytes("9c401f40 3af15533 00000001 50 10 faf0 0000 0000 68656c6c6f");
// A kernel's SYN, its checksum blanked.
const SYN_BYTES = bytes("9c401f40 3af15533 00000000 a002faf0 00000000 020405b4 0402080a bed9b7aa 00000000 0103030a");

const SEGMENT: TcpSegment = {
  sourcePort: 40_000,
  destinationPort: 8000,
  seq: seq(0x3af15533),
  ack: seq(1),
  flags: ACK,
  window: 64_240,
  urgent: 0,
  options: [],
  payload: bytes("68656c6c6f"),
};
const SYN_SEGMENT: TcpSegment = {
  ...SEGMENT,
  ack: seq(0),
  flags: SYN,
  options: [
    { kind: "mss", value: 1460 },
    { kind: "sackPermitted" },
    { kind: "timestamps", value: 0xbed9b7aa, echo: 0 },
    { kind: "nop" },
    { kind: "windowScale", shift: 10 },
  ],
  payload: new Uint8Array(),
};

/** What is read of a header with these options, which must fill words. */
function optionsOf(hex: string) {
  const options = bytes(hex);
  const segment = Uint8Array.of(...PLAIN.subarray(0, 20), ...options);
  segment[12] = ((20 + options.length) >> 2) << 4;
  const result = decodeTcp(surrounded(segment, 0xa5));
  return result.ok ? result.value.options : result.error;
}

describe("a segment", () => {
  test("is laid out as in RFC 9293", () => {
    expect(decodeTcp(PLAIN)).toEqual({ ok: true, value: SEGMENT });
    expect(encodeTcp(SEGMENT)).toEqual(PLAIN);
    expect(decodeTcp(surrounded(PLAIN, 0xa5))).toEqual({ ok: true, value: SEGMENT });
  });

  test("with options is read as a kernel sent it", () => {
    expect(decodeTcp(SYN_BYTES)).toEqual({ ok: true, value: SYN_SEGMENT });
    expect(encodeTcp(SYN_SEGMENT)).toEqual(SYN_BYTES);
  });

  test("cut off within its header is called truncated; its payload has no length of its own", () => {
    for (let length = 0; length < SYN_BYTES.length; length++) {
      expect(decodeTcp(surrounded(SYN_BYTES.subarray(0, length), 0xa5)), String(length)).toMatchObject({
        ok: false,
        error: { code: "truncated", layer: "tcp", offset: length, have: length, need: length < 20 ? 20 : 40 },
      });
    }
    expect(decodeTcp(PLAIN.subarray(0, 22))).toEqual({ ok: true, value: { ...SEGMENT, payload: bytes("6865") } });
  });

  test("whose header would be shorter than a header is impossible", () => {
    for (let words = 0; words < 5; words++) {
      const wrong = PLAIN.slice();
      wrong[12] = words << 4;
      expect(decodeTcp(wrong)).toMatchObject({
        ok: false,
        error: { code: "bad-length", layer: "tcp", offset: 12, need: 20, have: 4 * words },
      });
    }
  });

  test("takes a number of the sequence space for each byte, for SYN and for FIN", () => {
    const length = (flags: number, size = 0) => sequenceLength({ flags, payload: new Uint8Array(size) });
    expect([length(ACK), length(RST), length(SYN), length(FIN | ACK)]).toEqual([0, 0, 1, 1]);
    expect([length(ACK, 5), length(FIN | ACK, 5), length(SYN | FIN, 5)]).toEqual([5, 6, 7]);
  });
});

describe("flags", () => {
  test("have the RFC's names, lowest bit first", () => {
    expect(flagNames(0x12)).toEqual(["SYN", "ACK"]);
    expect(flagNames(0xff)).toEqual([...TCP_FLAGS]);
    expect(flagBits(["ACK", "FIN"])).toBe(FIN | ACK);
    for (let bits = 0; bits < 256; bits++) expect(flagBits(flagNames(bits))).toBe(bits);
  });

  test("that no endpoint may send together can be written and read", () => {
    for (const flags of [SYN | FIN, SYN | RST, SYN | FIN | RST | ACK, 0, 0xff]) {
      const encoded = encodeTcp({ ...SEGMENT, flags });
      expect(encoded[13]).toBe(flags);
      expect(decodeTcp(encoded)).toEqual({ ok: true, value: { ...SEGMENT, flags } });
    }
  });
});

describe("options", () => {
  test("that are not known are kept", () => {
    // Fast open (RFC 7413), and a kind that nobody has assigned.
    expect(optionsOf("2206 0102 0304 fd02")).toEqual([
      { kind: "unknown", number: 34, data: bytes("01020304") },
      { kind: "unknown", number: 0xfd, data: new Uint8Array() },
    ]);
  });

  test("with a length that they can't have are kept as unknown ones", () => {
    expect(optionsOf("0203 05 0302 030301")).toEqual([
      { kind: "unknown", number: 2, data: bytes("05") },
      { kind: "unknown", number: 3, data: new Uint8Array() },
      { kind: "windowScale", shift: 1 },
    ]);
  });

  test("SACK: pairs of edges", () => {
    expect(optionsOf("0101 050a fffffff0 00000010")).toEqual([
      { kind: "nop" },
      { kind: "nop" },
      { kind: "sack", blocks: [[0xfffffff0, 0x10]] },
    ]);
    expect(optionsOf("0502 0101")).toEqual([
      { kind: "unknown", number: 5, data: new Uint8Array() },
      { kind: "nop" },
      { kind: "nop" },
    ]);
  });

  test("end where their end says", () => {
    expect(optionsOf("0101 00 a5 a5a5a5a5")).toEqual([{ kind: "nop" }, { kind: "nop" }]);
  });

  test("can't be shorter than their own header, nor go past the header's end", () => {
    expect(optionsOf("01 02 00 00")).toMatchObject({ code: "bad-length", layer: "tcp option", offset: 22, have: 0 });
    expect(optionsOf("01 02 01 00")).toMatchObject({ code: "bad-length", layer: "tcp option", offset: 22, have: 1 });
    expect(optionsOf("0101 080a")).toMatchObject({
      code: "truncated",
      layer: "tcp option",
      offset: 22,
      need: 10,
      have: 2,
    });
    expect(optionsOf("010101 02")).toMatchObject({
      code: "truncated",
      layer: "tcp option",
      offset: 23,
      need: 2,
      have: 1,
    });
  });

  test("are padded with zeros to whole words", () => {
    const encoded = encodeTcp({ ...SEGMENT, options: [{ kind: "windowScale", shift: 7 }] });
    expect(encoded.subarray(20)).toEqual(bytes("030307 00 68656c6c6f"));
  });

  test("of more than 40 bytes have no room", () => {
    const options: TcpOption[] = Array.from({ length: 40 }, () => ({ kind: "nop" }));
    expect(decodeTcp(encodeTcp({ ...SEGMENT, options }))).toEqual({ ok: true, value: { ...SEGMENT, options } });
    expect(() => encodeTcp({ ...SEGMENT, options: [...options, { kind: "nop" }] })).toThrow(RangeError);
  });
});

const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffffffff);
const number = u32.map(seq);
const option: fc.Arbitrary<TcpOption> = fc.oneof(
  fc.constant({ kind: "nop" as const }),
  fc.record({ kind: fc.constant("mss" as const), value: u16 }),
  fc.record({ kind: fc.constant("windowScale" as const), shift: fc.nat(255) }),
  fc.constant({ kind: "sackPermitted" as const }),
  fc.record({
    kind: fc.constant("sack" as const),
    blocks: fc.array(fc.tuple(number, number), { minLength: 1, maxLength: 2 }),
  }),
  fc.record({ kind: fc.constant("timestamps" as const), value: u32, echo: u32 }),
  fc.record({
    kind: fc.constant("unknown" as const),
    number: fc.integer({ min: 9, max: 255 }),
    data: fc.uint8Array({ maxLength: 8 }),
  }),
);

test("segments survive encoding and decoding", () => {
  const segment: fc.Arbitrary<TcpSegment> = fc.record({
    sourcePort: u16,
    destinationPort: u16,
    seq: number,
    ack: number,
    flags: fc.nat(255),
    window: u16,
    urgent: u16,
    options: fc.array(option, { maxLength: 2 }),
    payload: fc.uint8Array({ maxLength: 60 }),
  });
  fc.assert(
    fc.property(segment, (value) => {
      expect(decodeTcp(surrounded(encodeTcp(value), 0xa5))).toEqual({ ok: true, value });
    }),
  );
});
