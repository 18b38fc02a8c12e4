/** Requests to the kernel about network interfaces (include/uapi/linux/rtnetlink.h, if_link.h, if_addr.h). */
import { encodeAttributes, encodeNetlinkMessage, NLM_F_ACK, NLM_F_REQUEST, type Attribute } from "./nlmsg.ts";

const RTM_NEWLINK = 16;
const RTM_NEWADDR = 20;
const NLM_F_CREATE_EXCL = 0x600;
const IFF_UP = 0x1;
const IFF_NOARP = 0x80;
const NLA_F_NESTED = 0x8000;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_TXQLEN = 13;
const IFLA_LINKINFO = 18 | NLA_F_NESTED;
const IFLA_NET_NS_FD = 28;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2 | NLA_F_NESTED;
const VETH_INFO_PEER = 1; // include/uapi/linux/veth.h
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const AF_INET = 2;
const AF_INET6 = 10;

function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(`${value}\0`);
}

/** struct ifinfomsg. `flags` are set among those that `change` names. */
function ifinfomsg(flags = 0, change = 0): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, flags, true);
  view.setUint32(12, change, true);
  return bytes;
}

/** A fixed part and the attributes that follow it. */
function withAttributes(head: Uint8Array, attributes: readonly Attribute[]): Uint8Array {
  const encoded = encodeAttributes(attributes);
  const bytes = new Uint8Array(head.length + encoded.length);
  bytes.set(head);
  bytes.set(encoded, head.length);
  return bytes;
}

function request(
  type: number,
  flags: number,
  seq: number,
  head: Uint8Array,
  attributes: readonly Attribute[],
): Uint8Array {
  const payload = withAttributes(head, attributes);
  return encodeNetlinkMessage({ type, flags: NLM_F_REQUEST | NLM_F_ACK | flags, seq, pid: 0, payload });
}

/** How an interface is to be. */
export interface LinkSettings {
  /** Bytes. */
  mtu: number;
  /** Without ARP and IPv6's neighbour discovery: whoever is sent to needs no link address. */
  noArp?: boolean;
  /** How many packets it keeps that nobody has taken yet. */
  queueLength?: number;
}

/** Brings the interface of this name up. */
export function encodeLinkUp(seq: number, name: string, { mtu, noArp, queueLength }: LinkSettings): Uint8Array {
  const flags = IFF_UP | (noArp ? IFF_NOARP : 0);
  return request(RTM_NEWLINK, 0, seq, ifinfomsg(flags, flags), [
    { type: IFLA_IFNAME, value: text(name) },
    { type: IFLA_MTU, value: int32(mtu) },
    ...(queueLength === undefined ? [] : [{ type: IFLA_TXQLEN, value: int32(queueLength) }]),
  ]);
}

/** Gives an interface an address: 4 or 16 bytes, and the length of its network's prefix. */
export function encodeAddAddress(seq: number, index: number, address: Uint8Array, prefix: number): Uint8Array {
  const ifaddrmsg = new Uint8Array(8);
  ifaddrmsg[0] = address.length === 4 ? AF_INET : AF_INET6;
  ifaddrmsg[1] = prefix;
  new DataView(ifaddrmsg.buffer).setUint32(4, index, true);
  return request(RTM_NEWADDR, NLM_F_CREATE_EXCL, seq, ifaddrmsg, [
    { type: IFA_LOCAL, value: address },
    { type: IFA_ADDRESS, value: address },
  ]);
}

/** One end of a veth pair. */
export interface VethEnd {
  name: string;
  /** Its link address, 6 bytes. */
  address: Uint8Array;
}

function endAttributes({ name, address }: VethEnd): Attribute[] {
  return [
    { type: IFLA_IFNAME, value: text(name) },
    { type: IFLA_ADDRESS, value: address },
  ];
}

/**
 * Makes a pair of Ethernet devices that are joined to each other: one in the namespace of the request's socket, `peer` in
 * the one behind descriptor `namespace`.
 */
export function encodeAddVeth(seq: number, end: VethEnd, peer: VethEnd, namespace: number): Uint8Array {
  const elsewhere = [...endAttributes(peer), { type: IFLA_NET_NS_FD, value: int32(namespace) }];
  const data = encodeAttributes([{ type: VETH_INFO_PEER, value: withAttributes(ifinfomsg(), elsewhere) }]);
  const info = encodeAttributes([
    { type: IFLA_INFO_KIND, value: text("veth") },
    { type: IFLA_INFO_DATA, value: data },
  ]);
  const attributes = [...endAttributes(end), { type: IFLA_LINKINFO, value: info }];
  return request(RTM_NEWLINK, NLM_F_CREATE_EXCL, seq, ifinfomsg(), attributes);
}
