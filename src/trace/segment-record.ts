/** Packets as the trace keeps them. */
import { formatIp } from "../codec/address.ts";
import { describeDecodeError } from "../codec/decoded.ts";
import { toHex } from "../codec/hex.ts";
import { decodePacket } from "../codec/packet.ts";
import { flagNames } from "../codec/tcp.ts";
import type { SegmentRecord } from "./trace.ts";

/** How many bytes of a segment's payload a record keeps, unless told otherwise. */
export const SNAP_LENGTH = 96;

/**
 * The record of a packet that host `from` sent to host `to`: its headers in full, at most `snapLength` bytes of its
 * payload. Throws a RangeError if `decodePacket` does not understand `packet`: a wire lets no such packet through.
 */
export function segmentRecord(
  packet: Uint8Array,
  from: string,
  to: string,
  snapLength: number = SNAP_LENGTH,
): SegmentRecord {
  const result = decodePacket(packet);
  if (!result.ok) throw new RangeError(describeDecodeError(result.error));
  const { ip, tcp } = result.value;
  const headers = tcp.payload.byteOffset - packet.byteOffset;
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
    bytes: toHex(packet.subarray(0, headers + Math.min(tcp.payload.length, snapLength))),
    length: headers + tcp.payload.length,
  };
}
