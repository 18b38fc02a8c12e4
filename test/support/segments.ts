/** Packets between two hosts, `client` (10.9.0.1:40000) and `server` (10.9.0.2:8000), and traces of them, in few words. */
import { parseIp } from "../../src/codec/address.ts";
import { decodePacket, encodePacket, type Packet } from "../../src/codec/packet.ts";
import { seq } from "../../src/codec/seq.ts";
import { flagBits, type TcpFlag, type TcpOption } from "../../src/codec/tcp.ts";
import { segmentRecord } from "../../src/trace/segment-record.ts";
import type { SegmentEvent, SegmentRecord, Trace, TraceEvent } from "../../src/trace/trace.ts";

export const ENDS = {
  client: { ipv4: "10.9.0.1", ipv6: "fd09::1", port: 40_000 },
  server: { ipv4: "10.9.0.2", ipv6: "fd09::2", port: 8000 },
};
export type End = keyof typeof ENDS;

export interface SegmentWords {
  from: End;
  flags: readonly TcpFlag[];
  seq: number;
  ack?: number;
  data?: string;
  options?: TcpOption[];
  version?: 4 | 6;
}

export function packetOf(words: SegmentWords): Packet {
  const [from, to] = words.from === "client" ? [ENDS.client, ENDS.server] : [ENDS.server, ENDS.client];
  const { flags, options = [], data = "", ack = 0, version = 4 } = words;
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
      window: 65_535,
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
  return segmentRecord(bytes, packet.value, words.from, words.from === "client" ? "server" : "client", snapLength);
}

/** The client's initial sequence number: the numbers wrap. */
export const CLIENT_ISN = 0xfffffff0;

export const SYN: SegmentWords = {
  from: "client",
  flags: ["SYN"],
  seq: CLIENT_ISN,
  options: [{ kind: "mss", value: 1460 }],
};

/** An event without its number. */
export type Untold = { [K in TraceEvent["kind"]]: Omit<Extract<TraceEvent, { kind: K }>, "n"> }[TraceEvent["kind"]];

/** A trace of these events, numbered. */
export function traceOf(events: readonly Untold[]): Trace {
  return {
    schema: 1,
    experiment: { id: "close-wait", title: "Who never closes", claims: [], article: "" },
    world: "model",
    system: "a model",
    hosts: [
      { name: "client", addresses: [ENDS.client.ipv4, ENDS.client.ipv6] },
      { name: "server", addresses: [ENDS.server.ipv4] },
    ],
    sockets: [],
    events: events.map((event, i) => ({ ...event, n: i + 1 }) as TraceEvent),
    outcome: { status: "done", verdict: { holds: "yes", because: "It was seen." } },
  };
}

/** A segment that is sent at a time and delivered 1 ms later. */
export function exchanged(segment: number, tUs: number, words: SegmentWords): Untold[] {
  const to = words.from === "client" ? "server" : "client";
  return [
    { kind: "segment", tUs, segment, fate: "sent", host: words.from, packet: recordOf(words) },
    { kind: "segment", tUs: tUs + 1000, segment, fate: "delivered", host: to },
  ];
}

/** What the wire, or a host, did with a segment. */
export const wire = (
  tUs: number,
  segment: number,
  fate: SegmentEvent["fate"],
  more: Partial<SegmentEvent> = {},
): Untold => ({
  kind: "segment",
  tUs,
  segment,
  fate,
  ...more,
});
