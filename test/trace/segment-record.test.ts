import { describe, expect, test } from "vitest";
import { decodePacket } from "../../src/codec/packet.ts";
import { segmentRecord, SNAP_LENGTH } from "../../src/trace/segment-record.ts";
import type { SegmentRecord } from "../../src/trace/trace.ts";
import { bytes, surrounded } from "../support/bytes.ts";

const IP = "4500 003a 1234 4000 40 06 147f 0a090001 0a090002";
const TCP = "9c40 1f40 fffffffe 00000002 80 18 01f6 b4a0 0000 0101 080a 00000001 00000002";
const HEADERS = bytes(IP + TCP);
const PACKET = bytes(`${IP}${TCP} 68656c6c6f20`);

function record(packet: Uint8Array, snapLength?: number): SegmentRecord {
  const decoded = decodePacket(packet);
  if (!decoded.ok) throw new Error("no packet");
  return segmentRecord(packet, decoded.value, "client", "server", snapLength);
}

describe("the record of a packet", () => {
  test("has what people look at, and the packet itself", () => {
    expect(record(PACKET)).toEqual({
      from: "client",
      to: "server",
      source: { address: "10.9.0.1", port: 40_000 },
      destination: { address: "10.9.0.2", port: 8000 },
      flags: ["PSH", "ACK"],
      seq: 0xfffffffe,
      ack: 2,
      window: 502,
      payloadLength: 6,
      bytes: Buffer.from(PACKET).toString("hex"),
      length: 58,
    });
  });

  test("keeps the headers in full and the payload up to the snap length", () => {
    const { bytes: none, payloadLength, length } = record(PACKET, 0);
    expect({ none, payloadLength, length }).toEqual({
      none: Buffer.from(HEADERS).toString("hex"),
      payloadLength: 6,
      length: 58,
    });
    expect(record(PACKET, 2).bytes).toHaveLength(2 * (HEADERS.length + 2));
    const big = new Uint8Array(HEADERS.length + 1000);
    big.set(HEADERS);
    new DataView(big.buffer).setUint16(2, big.length);
    const ofBig = record(big);
    expect(ofBig).toMatchObject({ payloadLength: 1000, length: HEADERS.length + 1000 });
    expect(ofBig.bytes).toHaveLength(2 * (HEADERS.length + SNAP_LENGTH));
  });

  test("knows nothing of what surrounds the packet", () => {
    const whole = record(PACKET);
    expect(record(surrounded(PACKET, 0xa5))).toEqual(whole);
    // A device's padding comes after the length that the IP header gives.
    expect(record(bytes(`${IP}${TCP} 68656c6c6f20 a5a5a5a5`))).toEqual(whole);
  });

  test("of IPv6 has its addresses in their usual form", () => {
    const v6 = bytes(`6000 0000 0014 06 40 fd09 0000000000000000000000000001 fd09 0000000000000000000000000002
                      9c40 1f40 00000001 00000000 50 02 ffff 0000 0000`);
    expect(record(v6)).toMatchObject({
      source: { address: "fd09::1", port: 40_000 },
      destination: { address: "fd09::2", port: 8000 },
      flags: ["SYN"],
      length: 60,
    });
  });
});
