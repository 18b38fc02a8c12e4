/** Packets as the trace keeps them. */
import { formatIp } from "../codec/address.ts";
import { toHex } from "../codec/hex.ts";
import type { Packet } from "../codec/packet.ts";
import { flagNames } from "../codec/tcp.ts";
import type { SegmentRecord } from "./trace.ts";

/** How many bytes of a segment's payload a record keeps, unless told otherwise. */
export const SNAP_LENGTH = 96;

/**
 * The record of a packet that host `from` sent to host `to`, `packet` being what `bytes` were decoded to: its headers in
 * full, at most `snapLength` bytes of its payload.
 */
export function segmentRecord(
  bytes: Uint8Array,
  { ip, tcp }: Packet,
  from: string,
  to: string,
  snapLength: number = SNAP_LENGTH,
): SegmentRecord {
  const headers = tcp.payload.byteOffset - bytes.byteOffset;
  return {
    from,
    to,
    source: { address: formatIp(ip.source), port: tcp.sourcePort },
    destination: { address: formatIp(ip.destination), port: tcp.destinationPort },
    flags: flagNames(tcp.flags),
    seq: tcp.seq,
    ack: tcp.ack,
    window: tcp.window,
    payloadLength: tcp.payload.length,
    bytes: toHex(bytes.subarray(0, headers + Math.min(tcp.payload.length, snapLength))),
    length: headers + tcp.payload.length,
  };
}
