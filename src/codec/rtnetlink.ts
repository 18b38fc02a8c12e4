/** Requests to the kernel about network interfaces (include/uapi/linux/rtnetlink.h, if_link.h, if_addr.h). */
import { encodeAttributes, encodeNetlinkMessage, NLM_F_ACK, NLM_F_REQUEST, type Attribute } from "./nlmsg.ts";

const RTM_NEWLINK = 16;
const RTM_NEWADDR = 20;
const NLM_F_CREATE_EXCL = 0x600;
const IFF_UP = 0x1;
const IFF_NOARP = 0x80;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
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

function request(
  type: number,
  flags: number,
  seq: number,
  body: Uint8Array,
  attributes: readonly Attribute[],
): Uint8Array {
  const encoded = encodeAttributes(attributes);
  const payload = new Uint8Array(body.length + encoded.length);
  payload.set(body);
  payload.set(encoded, body.length);
  return encodeNetlinkMessage({ type, flags: NLM_F_REQUEST | NLM_F_ACK | flags, seq, pid: 0, payload });
}

/** Brings the interface of this name up, with this MTU (bytes), and without ARP and IPv6's neighbour discovery if so asked. */
export function encodeLinkUp(seq: number, name: string, mtu: number, noArp = false): Uint8Array {
  const flags = IFF_UP | (noArp ? IFF_NOARP : 0);
  return request(RTM_NEWLINK, 0, seq, ifinfomsg(flags, flags), [
    { type: IFLA_IFNAME, value: text(name) },
    { type: IFLA_MTU, value: int32(mtu) },
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
