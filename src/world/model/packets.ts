/** Packets of modelled hosts as bytes on the wire, and back. */
import { formatIp, parseIp } from "../../codec/address.ts";
import { IPPROTO_TCP, type IpHeader } from "../../codec/ip.ts";
import { encodePacket, type Packet } from "../../codec/packet.ts";
import type { HostPacket } from "../../host/index.ts";

/** As Linux sends them: not to be cut into fragments. */
const DONT_FRAGMENT = 0x4000;

function headerOf({ source, destination, hops }: HostPacket): IpHeader {
  const ends = { source: parseIp(source)!, destination: parseIp(destination)! };
  if (ends.source.length === 16) {
    return { version: 6, trafficClass: 0, flowLabel: 0, nextHeader: IPPROTO_TCP, hopLimit: hops, ...ends };
  }
  const options = new Uint8Array();
  return { version: 4, tos: 0, id: 0, fragment: DONT_FRAGMENT, ttl: hops, protocol: IPPROTO_TCP, options, ...ends };
}

export function toBytes(packet: HostPacket): Uint8Array {
  return encodePacket({ ip: headerOf(packet), tcp: packet.segment });
}

export function fromWire({ ip, tcp }: Packet): HostPacket {
  const hops = ip.version === 4 ? ip.ttl : ip.hopLimit;
  return { source: formatIp(ip.source), destination: formatIp(ip.destination), hops, segment: tcp };
}
