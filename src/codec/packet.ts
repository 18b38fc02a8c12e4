/** IP packets that carry one TCP segment each: what a wire between two hosts sees. */
import { foldChecksum, sumWords } from "./checksum.ts";
import { decoded, undecodable, type Decoded } from "./decoded.ts";
import { decodeIp, encodeIp, IPPROTO_TCP, protocolOf, pseudoHeaderSum, type IpHeader } from "./ip.ts";
import { decodeTcp, encodeTcp, TCP, TCP_LENGTH, type TcpSegment } from "./tcp.ts";

export interface Packet {
  ip: IpHeader;
  tcp: TcpSegment;
}

const FRAGMENT = 0x3fff; // more fragments, or an offset

/** Decodes an unfragmented packet with a TCP segment. Views into the input. */
export function decodePacket(bytes: Uint8Array): Decoded<Packet> {
  const ip = decodeIp(bytes);
  if (!ip.ok) return ip;
  const { header, payload } = ip.value;
  if (protocolOf(header) !== IPPROTO_TCP) {
    return undecodable("bad-value", "ip protocol", header.version === 4 ? 9 : 6, IPPROTO_TCP, protocolOf(header));
  }
  if (header.version === 4 && header.fragment & FRAGMENT) {
    return undecodable("bad-value", "ipv4 fragment", 6, 0, header.fragment & FRAGMENT);
  }
  const tcp = decodeTcp(payload);
  if (tcp.ok) return decoded({ ip: header, tcp: tcp.value });
  const { code, layer, offset, need, have } = tcp.error;
  return undecodable(code, layer, offset + (payload.byteOffset - bytes.byteOffset), need, have);
}

/** The packet's bytes, both checksums computed. */
export function encodePacket({ ip, tcp }: Packet): Uint8Array {
  const payload = encodeTcp(tcp);
  const checksum = foldChecksum(sumWords(payload, pseudoHeaderSum(ip, payload.length)));
  new DataView(payload.buffer).setUint16(TCP.checksum, checksum);
  return encodeIp({ header: ip, payload });
}

/** True for a packet with a TCP segment whose checksum is right. */
export function hasGoodChecksum(bytes: Uint8Array): boolean {
  const ip = decodeIp(bytes);
  if (!ip.ok) return false;
  const { header, payload } = ip.value;
  if (protocolOf(header) !== IPPROTO_TCP || payload.length < TCP_LENGTH) return false;
  return foldChecksum(sumWords(payload, pseudoHeaderSum(header, payload.length))) === 0;
}
