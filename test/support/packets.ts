/** Packets between two hosts, `client` (10.9.0.1:40000) and `server` (10.9.0.2:8000), in few words. */
import { parseIp } from "../../src/codec/address.ts";
import { decodePacket, encodePacket, type Packet } from "../../src/codec/packet.ts";
import { seq } from "../../src/codec/seq.ts";
import { flagBits, type TcpFlag, type TcpOption, type TcpSegment } from "../../src/codec/tcp.ts";
import { segmentRecord } from "../../src/trace/segment-record.ts";
import type { SegmentRecord } from "../../src/trace/trace.ts";

export const ENDS = {
  client: { ipv4: "10.9.0.1", ipv6: "fd09::1", port: 40_000 },
  server: { ipv4: "10.9.0.2", ipv6: "fd09::2", port: 8000 },
};
export type End = keyof typeof ENDS;

export const otherEnd = (end: End): End => (end === "client" ? "server" : "client");

export interface SegmentWords {
  from: End;
  flags: readonly TcpFlag[];
  seq: number;
  ack?: number;
  data?: string;
  options?: TcpOption[];
  window?: number;
  version?: 4 | 6;
  /** Of the client, if it is not {@link ENDS}'s. */
  clientPort?: number;
}

export function packetOf(words: SegmentWords): Packet {
  const {
    flags,
    options = [],
    data = "",
    ack = 0,
    window = 65_535,
    version = 4,
    clientPort = ENDS.client.port,
  } = words;
  const client = { ...ENDS.client, port: clientPort };
  const [from, to] = words.from === "client" ? [client, ENDS.server] : [ENDS.server, client];
  return {
    ip:
      version === 4
        ? {
            version,
            tos: 0,
            id: 0,
            fragment: 0x4000,
            ttl: 64,
            protocol: 6,
            source: parseIp(from.ipv4)!,
            destination: parseIp(to.ipv4)!,
            options: new Uint8Array(),
          }
        : {
            version,
            trafficClass: 0,
            flowLabel: 0,
            nextHeader: 6,
            hopLimit: 64,
            source: parseIp(from.ipv6)!,
            destination: parseIp(to.ipv6)!,
          },
    tcp: {
      sourcePort: from.port,
      destinationPort: to.port,
      seq: seq(words.seq),
      ack: seq(ack),
      flags: flagBits(flags),
      window,
      urgent: 0,
      options,
      payload: new TextEncoder().encode(data),
    },
  };
}

/** The trace's record of such a packet. */
export function recordOf(words: SegmentWords, snapLength?: number): SegmentRecord {
  const bytes = encodePacket(packetOf(words));
  const packet = decodePacket(bytes);
  if (!packet.ok) throw new Error("a packet of our own can't be decoded");
  return segmentRecord(bytes, packet.value, words.from, otherEnd(words.from), snapLength);
}

/** The client's initial sequence number: the numbers wrap. */
export const CLIENT_ISN = 0xfffffff0;

export const SYN: SegmentWords = {
  from: "client",
  flags: ["SYN"],
  seq: CLIENT_ISN,
  options: [{ kind: "mss", value: 1460 }],
};

/** A segment between two IPv4 addresses, as it goes over a wire. */
export function ipv4Packet(source: string, destination: string, tcp: TcpSegment): Uint8Array {
  return encodePacket({
    ip: {
      version: 4,
      tos: 0,
      id: 0,
      fragment: 0x4000,
      ttl: 64,
      protocol: 6,
      source: parseIp(source)!,
      destination: parseIp(destination)!,
      options: new Uint8Array(),
    },
    tcp,
  });
}
