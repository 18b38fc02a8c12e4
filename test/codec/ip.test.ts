import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { foldChecksum, sumWords } from "../../src/codec/checksum.ts";
import {
  decodeIp,
  encodeIp,
  hopsLeft,
  protocolOf,
  readHopsLeft,
  setHopsLeft,
  type Ipv4Header,
  type Ipv6Header,
} from "../../src/codec/ip.ts";
import { bytes, surrounded } from "../support/bytes.ts";

// Two kernels' SYNs to port 8000, from 10.9.0.1 to 10.9.0.2 and from fd09::1 to fd09::2.
const TCP4 = bytes("9c401f40 3af15533 00000000 a002faf0 76ce0000 020405b4 0402080a bed9b7aa 00000000 0103030a");
const IPV4 = bytes("45 00 003c 5575 4000 40 06 d132 0a090001 0a090002");
const PACKET4 = Uint8Array.of(...IPV4, ...TCP4);
const TCP6 = bytes("9c401f40 f55ae0c1 00000000 a002fd20 1b3d0000 020405a0 0402080a b6d2ed2c 00000000 0103030a");
const IPV6 = bytes(`60069768 0028 06 40 fd09 0000000000000000000000000001 fd09 0000000000000000000000000002`);
const PACKET6 = Uint8Array.of(...IPV6, ...TCP6);

const HEADER4: Ipv4Header = {
  version: 4,
  tos: 0,
  id: 0x5575,
  fragment: 0x4000,
  ttl: 64,
  protocol: 6,
  source: Uint8Array.of(10, 9, 0, 1),
  destination: Uint8Array.of(10, 9, 0, 2),
  options: new Uint8Array(),
};
const HEADER6: Ipv6Header = {
  version: 6,
  trafficClass: 0,
  flowLabel: 0x69768,
  nextHeader: 6,
  hopLimit: 64,
  source: bytes("fd09 0000000000000000000000000001"),
  destination: bytes("fd09 0000000000000000000000000002"),
};
const PACKETS = [
  { name: "IPv4", packet: PACKET4, header: HEADER4, payload: TCP4 },
  { name: "IPv6", packet: PACKET6, header: HEADER6, payload: TCP6 },
] as const;

const headerChecksum = (packet: Uint8Array) => foldChecksum(sumWords(packet.subarray(0, 4 * (packet[0]! & 0xf))));

/** The packet with some of its bytes overwritten. */
function changed(packet: Uint8Array, at: number, hex: string): Uint8Array {
  const copy = packet.slice();
  copy.set(bytes(hex), at);
  return copy;
}

describe.each(PACKETS)("a packet of $name", ({ packet, header, payload }) => {
  test("that a kernel sent is taken apart and put together again", () => {
    expect(decodeIp(packet)).toEqual({ ok: true, value: { header, payload } });
    expect(encodeIp({ header, payload })).toEqual(packet);
    expect(hopsLeft(header)).toBe(64);
    expect(protocolOf(header)).toBe(6);
  });

  test("ends where its header says: padding that follows is not payload", () => {
    expect(decodeIp(surrounded(packet, 0xa5))).toEqual({ ok: true, value: { header, payload } });
    expect(decodeIp(Uint8Array.of(...packet, 0xa5, 0xa5))).toEqual({ ok: true, value: { header, payload } });
  });

  test("cut off anywhere is called truncated", () => {
    for (let length = 0; length < packet.length; length++) {
      expect(decodeIp(surrounded(packet.subarray(0, length), 0xa5)), String(length)).toMatchObject({
        ok: false,
        error: { code: "truncated", offset: length, have: length },
      });
    }
  });
});

test("there are versions 4 and 6 only", () => {
  for (const version of [0, 1, 2, 3, 5, 7, 15]) {
    expect(decodeIp(changed(PACKET4, 0, `${version.toString(16)}5`))).toMatchObject({
      ok: false,
      error: { code: "bad-value", layer: "ip", offset: 0, have: version },
    });
  }
});

test("lengths that can't be", () => {
  for (let words = 0; words < 5; words++) {
    expect(decodeIp(changed(PACKET4, 0, `4${words}`))).toMatchObject({
      ok: false,
      error: { code: "bad-length", layer: "ipv4", offset: 0, need: 20, have: 4 * words },
    });
  }
  expect(decodeIp(changed(PACKET4, 2, "0013"))).toMatchObject({
    ok: false,
    error: { code: "bad-length", layer: "ipv4", offset: 2, need: 20, have: 19 },
  });
  // A header of 60 bytes in a packet of 30.
  expect(decodeIp(changed(changed(PACKET4, 0, "4f"), 2, "001e"))).toMatchObject({
    ok: false,
    error: { code: "bad-length", need: 60, have: 30 },
  });
  expect(decodeIp(changed(PACKET4, 2, "0014"))).toMatchObject({ ok: true, value: { payload: new Uint8Array() } });
});

test("IPv4's options are kept, and the checksum covers them", () => {
  const options = bytes("94040000"); // router alert, RFC 2113
  const packet = encodeIp({ header: { ...HEADER4, options }, payload: bytes("a5") });
  expect(packet[0]).toBe(0x46);
  expect(headerChecksum(packet)).toBe(0);
  expect(decodeIp(packet)).toEqual({
    ok: true,
    value: { header: { ...HEADER4, options }, payload: bytes("a5") },
  });
});

const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const fixed = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const ipv4: fc.Arbitrary<Ipv4Header> = fc.record({
  version: fc.constant(4 as const),
  tos: u8,
  id: u16,
  fragment: u16,
  ttl: u8,
  protocol: u8,
  source: fixed(4),
  destination: fixed(4),
  options: fc.nat(10).chain((words) => fixed(4 * words)),
});
const ipv6: fc.Arbitrary<Ipv6Header> = fc.record({
  version: fc.constant(6 as const),
  trafficClass: u8,
  flowLabel: fc.nat(0xfffff),
  nextHeader: u8,
  hopLimit: u8,
  source: fixed(16),
  destination: fixed(16),
});

test("packets survive encoding and decoding; IPv4's checksum is right", () => {
  fc.assert(
    fc.property(fc.oneof(ipv4, ipv6), fc.uint8Array({ maxLength: 80 }), (header, payload) => {
      const packet = encodeIp({ header, payload });
      expect(decodeIp(packet)).toEqual({ ok: true, value: { header, payload } });
      if (header.version === 4) expect(headerChecksum(packet)).toBe(0);
    }),
  );
});

describe("a new count of hops", () => {
  test("changes nothing else, and what was right stays right", () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), u8, fc.uint8Array({ maxLength: 20 }), (header, hops, payload) => {
        const packet = surrounded(encodeIp({ header, payload }), 0xa5);
        expect(readHopsLeft(packet)).toBe(hopsLeft(header));
        setHopsLeft(packet, hops);
        expect(readHopsLeft(packet)).toBe(hops);
        const expected = header.version === 4 ? { ...header, ttl: hops } : { ...header, hopLimit: hops };
        expect(decodeIp(packet)).toEqual({ ok: true, value: { header: expected, payload } });
        if (header.version === 4) expect(headerChecksum(packet)).toBe(0);
        // Its neighbours in memory are untouched.
        expect(new Uint8Array(packet.buffer).subarray(0, 64)).toEqual(new Uint8Array(64).fill(0xa5));
      }),
    );
  });

  test("leaves a wrong checksum as wrong as it was", () => {
    fc.assert(
      fc.property(ipv4, u8, u16, (header, hops, wrong) => {
        const packet = encodeIp({ header, payload: new Uint8Array() });
        new DataView(packet.buffer).setUint16(10, wrong);
        const before = headerChecksum(packet);
        setHopsLeft(packet, hops);
        expect(headerChecksum(packet) % 0xffff).toBe(before % 0xffff);
      }),
    );
  });

  test("can be given to a packet whose payload was cut off", () => {
    const cut = IPV4.slice();
    setHopsLeft(cut, readHopsLeft(cut) - 1);
    expect(cut).toEqual(bytes("45 00 003c 5575 4000 3f 06 d232 0a090001 0a090002"));
  });
});
