/** IPv4 (RFC 791) and IPv6 (RFC 8200) headers. */
import { foldChecksum, sumWords } from "./checksum.ts";
import { decoded, undecodable, type Decoded } from "./decoded.ts";

export const IPPROTO_TCP = 6;

/** Offsets in bytes; all integers are in network order. */
const IPV4 = { versionLength: 0, tos: 1, length: 2, id: 4, fragment: 6, ttl: 8, protocol: 9, checksum: 10, source: 12 };
const IPV4_LENGTH = 20;
const IPV6 = { versionClassLabel: 0, length: 4, nextHeader: 6, hopLimit: 7, source: 8, destination: 24 };
const IPV6_LENGTH = 40;

export interface Ipv4Header {
  version: 4;
  tos: number;
  id: number;
  /** The three flags and the fragment's offset, as they stand in the header: 0x4000 is DF. */
  fragment: number;
  ttl: number;
  protocol: number;
  /** 4 bytes. */
  source: Uint8Array;
  destination: Uint8Array;
  /** Undecoded, a multiple of 4 bytes. */
  options: Uint8Array;
}

export interface Ipv6Header {
  version: 6;
  trafficClass: number;
  flowLabel: number;
  nextHeader: number;
  hopLimit: number;
  /** 16 bytes. */
  source: Uint8Array;
  destination: Uint8Array;
}

export type IpHeader = Ipv4Header | Ipv6Header;

/** A packet: its header and what it carries. Bytes after the header's total length are left out. */
export interface IpPacket {
  header: IpHeader;
  payload: Uint8Array;
}

function decodeIpv4(bytes: Uint8Array): Decoded<IpPacket> {
  if (bytes.length < IPV4_LENGTH) return undecodable("truncated", "ipv4", bytes.length, IPV4_LENGTH, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = 4 * (bytes[0]! & 0xf);
  if (headerLength < IPV4_LENGTH) return undecodable("bad-length", "ipv4", 0, IPV4_LENGTH, headerLength);
  const length = view.getUint16(IPV4.length);
  if (length < headerLength) return undecodable("bad-length", "ipv4", IPV4.length, headerLength, length);
  if (length > bytes.length) return undecodable("truncated", "ipv4", bytes.length, length, bytes.length);
  const header: Ipv4Header = {
    version: 4,
    tos: bytes[IPV4.tos]!,
    id: view.getUint16(IPV4.id),
    fragment: view.getUint16(IPV4.fragment),
    ttl: bytes[IPV4.ttl]!,
    protocol: bytes[IPV4.protocol]!,
    source: bytes.subarray(IPV4.source, IPV4.source + 4),
    destination: bytes.subarray(IPV4.source + 4, IPV4.source + 8),
    options: bytes.subarray(IPV4_LENGTH, headerLength),
  };
  return decoded({ header, payload: bytes.subarray(headerLength, length) });
}

function decodeIpv6(bytes: Uint8Array): Decoded<IpPacket> {
  if (bytes.length < IPV6_LENGTH) return undecodable("truncated", "ipv6", bytes.length, IPV6_LENGTH, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = IPV6_LENGTH + view.getUint16(IPV6.length);
  if (length > bytes.length) return undecodable("truncated", "ipv6", bytes.length, length, bytes.length);
  const word = view.getUint32(IPV6.versionClassLabel);
  const header: Ipv6Header = {
    version: 6,
    trafficClass: (word >>> 20) & 0xff,
    flowLabel: word & 0xfffff,
    nextHeader: bytes[IPV6.nextHeader]!,
    hopLimit: bytes[IPV6.hopLimit]!,
    source: bytes.subarray(IPV6.source, IPV6.source + 16),
    destination: bytes.subarray(IPV6.destination, IPV6.destination + 16),
  };
  return decoded({ header, payload: bytes.subarray(IPV6_LENGTH, length) });
}

export function decodeIp(bytes: Uint8Array): Decoded<IpPacket> {
  const version = (bytes[0] ?? 0) >> 4;
  if (version === 4) return decodeIpv4(bytes);
  if (version === 6) return decodeIpv6(bytes);
  return bytes.length === 0 ? undecodable("truncated", "ip", 0, 1, 0) : undecodable("bad-value", "ip", 0, 4, version);
}

function encodeIpv4(header: Ipv4Header, payload: Uint8Array): Uint8Array {
  const headerLength = IPV4_LENGTH + header.options.length;
  const bytes = new Uint8Array(headerLength + payload.length);
  const view = new DataView(bytes.buffer);
  bytes[IPV4.versionLength] = 0x40 | (headerLength >> 2);
  bytes[IPV4.tos] = header.tos;
  view.setUint16(IPV4.length, bytes.length);
  view.setUint16(IPV4.id, header.id);
  view.setUint16(IPV4.fragment, header.fragment);
  bytes[IPV4.ttl] = header.ttl;
  bytes[IPV4.protocol] = header.protocol;
  bytes.set(header.source, IPV4.source);
  bytes.set(header.destination, IPV4.source + 4);
  bytes.set(header.options, IPV4_LENGTH);
  view.setUint16(IPV4.checksum, foldChecksum(sumWords(bytes.subarray(0, headerLength))));
  bytes.set(payload, headerLength);
  return bytes;
}

function encodeIpv6(header: Ipv6Header, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(IPV6_LENGTH + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, (6 << 28) | (header.trafficClass << 20) | header.flowLabel);
  view.setUint16(IPV6.length, payload.length);
  bytes[IPV6.nextHeader] = header.nextHeader;
  bytes[IPV6.hopLimit] = header.hopLimit;
  bytes.set(header.source, IPV6.source);
  bytes.set(header.destination, IPV6.destination);
  bytes.set(payload, IPV6_LENGTH);
  return bytes;
}

/** The packet's bytes, IPv4's checksum computed. */
export function encodeIp({ header, payload }: IpPacket): Uint8Array {
  return header.version === 4 ? encodeIpv4(header, payload) : encodeIpv6(header, payload);
}

/** How many routers the packet may still pass. */
export function hopsLeft(header: IpHeader): number {
  return header.version === 4 ? header.ttl : header.hopLimit;
}

export function protocolOf(header: IpHeader): number {
  return header.version === 4 ? header.protocol : header.nextHeader;
}

/** How many routers an encoded packet may still pass; its payload may be cut off. */
export function readHopsLeft(bytes: Uint8Array): number {
  return bytes[bytes[0]! >> 4 === 6 ? IPV6.hopLimit : IPV4.ttl]!;
}

/**
 * Writes a new count of hops into an encoded packet. IPv4's checksum is adjusted, not computed anew, so that one that was
 * wrong stays wrong (RFC 1624).
 */
export function setHopsLeft(bytes: Uint8Array, hops: number): void {
  if (bytes[0]! >> 4 === 6) {
    bytes[IPV6.hopLimit] = hops;
    return;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const before = view.getUint16(IPV4.ttl);
  bytes[IPV4.ttl] = hops;
  const after = view.getUint16(IPV4.ttl);
  const complement = ~view.getUint16(IPV4.checksum) & 0xffff;
  view.setUint16(IPV4.checksum, foldChecksum(complement + (~before & 0xffff) + after));
}

/** The sum of the pseudo header that TCP's checksum covers (RFC 9293 section 3.1, RFC 8200 section 8.1). */
export function pseudoHeaderSum(header: IpHeader, length: number): number {
  return sumWords(header.source, sumWords(header.destination, IPPROTO_TCP + (length >>> 16) + (length & 0xffff)));
}
