import { hopsLeft } from "../codec/ip.ts";
import { decodePacket, encodePacket, type Packet } from "../codec/packet.ts";
import { seqAdd } from "../codec/seq.ts";
import { flagBits } from "../codec/tcp.ts";
import type { Change } from "./rule.ts";

/** A segment on its way. */
export interface LinkSegment {
  /** One number for its life. */
  id: number;
  from: string;
  to: string;
  /** As it was sent, or as a rule has modified it. */
  packet: Packet;
  bytes: Uint8Array;
  /** Relative to the connection's first. */
  relativeSeq: number;
}

/** The segment with the change made, its checksums right. */
export function modified(segment: LinkSegment, change: Change): LinkSegment {
  const { ip, tcp } = segment.packet;
  const hops = change.hops ?? hopsLeft(ip);
  const bytes = encodePacket({
    ip: ip.version === 4 ? { ...ip, ttl: hops } : { ...ip, hopLimit: hops },
    tcp: {
      ...tcp,
      flags: (tcp.flags | flagBits(change.set ?? [])) & ~flagBits(change.clear ?? []),
      seq: seqAdd(tcp.seq, change.seqBy ?? 0),
      ack: seqAdd(tcp.ack, change.ackBy ?? 0),
      window: change.window ?? tcp.window,
      payload: change.payload === undefined ? tcp.payload : new TextEncoder().encode(change.payload),
    },
  });
  const packet = decodePacket(bytes);
  if (!packet.ok) throw new Error("a packet of our own can't be decoded");
  return { ...segment, bytes, packet: packet.value };
}
