import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { setHopsLeft } from "../../src/codec/ip.ts";
import { decodePacket, encodePacket, hasGoodChecksum, type Packet } from "../../src/codec/packet.ts";
import { seq } from "../../src/codec/seq.ts";
import { FIN, SYN, type TcpOption } from "../../src/codec/tcp.ts";
import { bytes, surrounded } from "../support/bytes.ts";
import { packetOf } from "../support/packets.ts";

// Two kernels' SYNs to port 8000, as they came out of a TUN device.
const V4 = bytes(`4500003c 55754000 4006d132 0a090001 0a090002
                  9c401f40 3af15533 00000000 a002faf0 76ce0000 020405b4 0402080a bed9b7aa 00000000 0103030a`);
const V6 = bytes(`60069768 00280640 fd090000000000000000000000000001 fd090000000000000000000000000002
                  9c401f40 f55ae0c1 00000000 a002fd20 1b3d0000 020405a0 0402080a b6d2ed2c 00000000 0103030a`);

/** The packet with some of its bytes overwritten. */
function changed(packet: Uint8Array, at: number, hex: string): Uint8Array {
  const copy = packet.slice();
  copy.set(bytes(hex), at);
  return copy;
}

describe.each([
  { name: "IPv4", packet: V4 },
  { name: "IPv6", packet: V6 },
])("a kernel's packet of $name", ({ packet }) => {
  test("is the same after decoding and encoding, both checksums too", () => {
    const result = decodePacket(surrounded(packet, 0xa5));
    expect(result).toMatchObject({
      ok: true,
      value: {
        tcp: { sourcePort: 40_000, destinationPort: 8000, flags: SYN, ack: 0, window: packet === V4 ? 64_240 : 64_800 },
      },
    });
    expect(result.ok && encodePacket(result.value)).toEqual(packet);
  });

  test("cut off anywhere is called truncated", () => {
    for (let length = 0; length < packet.length; length++) {
      const cut = surrounded(packet.subarray(0, length), 0xa5);
      expect(decodePacket(cut), String(length)).toMatchObject({ ok: false, error: { code: "truncated" } });
      expect(hasGoodChecksum(cut)).toBe(false);
    }
  });

  test("has a good checksum until one bit of the segment or of an address changes", () => {
    expect(hasGoodChecksum(surrounded(packet, 0xa5))).toBe(true);
    const addresses = packet === V4 ? 12 : 8;
    for (let bit = 8 * addresses; bit < 8 * packet.length; bit++) {
      const flipped = packet.slice();
      flipped[bit >> 3]! ^= 0x80 >> (bit & 7);
      expect(hasGoodChecksum(flipped), `bit ${bit}`).toBe(false);
    }
  });

  test("keeps its checksum when it passes a router", () => {
    const passed = packet.slice();
    setHopsLeft(passed, 1);
    expect(hasGoodChecksum(passed)).toBe(true);
  });
});

describe("what is refused", () => {
  test("another protocol than TCP", () => {
    expect(decodePacket(changed(V4, 9, "11"))).toMatchObject({
      ok: false,
      error: { code: "bad-value", layer: "ip protocol", offset: 9, need: 6, have: 17 },
    });
    expect(decodePacket(changed(V6, 6, "3a"))).toMatchObject({ ok: false, error: { offset: 6, have: 58 } });
    expect(hasGoodChecksum(changed(V4, 9, "11"))).toBe(false);
  });

  test("fragments: the first, and any later", () => {
    for (const fragment of ["2000", "0001", "3fff"]) {
      expect(decodePacket(changed(V4, 6, fragment))).toMatchObject({
        ok: false,
        error: { code: "bad-value", layer: "ipv4 fragment", offset: 6 },
      });
    }
    expect(decodePacket(changed(V4, 6, "0000"))).toMatchObject({ ok: true });
  });

  test("a bad segment, with its place in the packet", () => {
    expect(decodePacket(changed(V4, 32, "40"))).toMatchObject({
      error: { code: "bad-length", layer: "tcp", offset: 32 },
    });
    expect(decodePacket(changed(V6, 52, "40"))).toMatchObject({
      error: { code: "bad-length", layer: "tcp", offset: 52 },
    });
    expect(decodePacket(changed(V4, 41, "01"))).toMatchObject({ error: { layer: "tcp option", offset: 41, have: 1 } });
    // The IP header leaves 10 bytes for the segment.
    expect(decodePacket(changed(V4, 2, "001e"))).toMatchObject({
      error: { code: "truncated", layer: "tcp", offset: 30 },
    });
  });

  test("a packet without a segment has no good checksum, whatever its addresses sum up to", () => {
    // 0a09 + 0001 + f5ef + 0000 + 0006 (TCP) + 0000 (no bytes) is ffff.
    const empty = bytes("45000014 00004000 40060000 0a090001 f5ef0000");
    expect(hasGoodChecksum(empty)).toBe(false);
  });
});

test("what no endpoint sends can be written down: SYN and FIN at once, with data", () => {
  const packet = packetOf({ from: "client", flags: ["FIN", "SYN"], seq: 1, data: "?" });
  const encoded = encodePacket(packet);
  expect(hasGoodChecksum(encoded)).toBe(true);
  expect(decodePacket(encoded)).toEqual({ ok: true, value: packet });
  expect(packet.tcp.flags).toBe(FIN | SYN);
});

test("packets survive encoding and decoding, and their checksums are right", () => {
  const u16 = fc.nat(0xffff);
  const number = fc.nat(0xffffffff).map(seq);
  const packets = fc
    .record({
      version: fc.constantFrom(4 as const, 6 as const),
      tcp: fc.record({
        sourcePort: u16,
        destinationPort: u16,
        seq: number,
        ack: number,
        flags: fc.nat(255),
        window: u16,
        urgent: u16,
        options: fc.constant<TcpOption[]>([]),
        payload: fc.uint8Array({ maxLength: 99 }),
      }),
    })
    .map(({ version, tcp }): Packet => ({ ...packetOf({ from: "client", flags: [], seq: 0, version }), tcp }));
  fc.assert(
    fc.property(packets, (packet) => {
      const encoded = encodePacket(packet);
      expect(decodePacket(surrounded(encoded, 0xa5))).toEqual({ ok: true, value: packet });
      expect(hasGoodChecksum(encoded)).toBe(true);
    }),
  );
});
