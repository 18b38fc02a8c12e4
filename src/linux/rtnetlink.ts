/** The NETLINK_ROUTE client: sets up interfaces of the calling thread's network namespace. */
import { describeDecodeError } from "../codec/decoded.ts";
import { decodeNetlinkAnswer, decodeNetlinkMessages } from "../codec/nlmsg.ts";
import { encodeAddAddress, encodeLinkUp } from "../codec/rtnetlink.ts";
import {
  AF_INET,
  AF_NETLINK,
  ioctl,
  NETLINK_ROUTE,
  recv,
  send,
  SIOCGIFINDEX,
  SOCK_DGRAM,
  SOCK_RAW,
  socket,
} from "../sys/index.ts";
import { NetlinkError } from "./netlink-error.ts";

const SEQ = 1;

/** Sends one request and waits for the kernel's acknowledgement. Throws `NetlinkError` where it refuses. */
export function requestRoute(what: string, message: Uint8Array): void {
  using fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  send(fd, message);
  const bytes = new Uint8Array(8192);
  const messages = decodeNetlinkMessages(bytes.subarray(0, recv(fd, bytes)));
  if (!messages.ok) throw new Error(describeDecodeError(messages.error));
  const answer = decodeNetlinkAnswer(messages.value[0]!);
  if (!answer.ok) throw new Error(describeDecodeError(answer.error));
  const { errno, text } = answer.value;
  if (errno !== 0) throw new NetlinkError(what, errno, text);
}

/** The index of the interface of this name. */
export function interfaceIndex(name: string): number {
  const request = new Uint8Array(40); // struct ifreq, include/uapi/linux/if.h: name (16), then a union
  request.set(Buffer.from(name, "latin1"));
  using fd = socket(AF_INET, SOCK_DGRAM, 0);
  ioctl(fd, SIOCGIFINDEX, request);
  return new DataView(request.buffer).getInt32(16, true);
}

/** Brings an interface up, with an MTU (bytes). `noArp`: whoever is sent to needs no address of its link. */
export function linkUp(name: string, mtu: number, noArp = false): void {
  requestRoute(`bringing ${name} up`, encodeLinkUp(SEQ, name, mtu, noArp));
}

/** Gives an interface an address, 4 or 16 bytes, in a network of this prefix. */
export function addAddress(name: string, address: Uint8Array, prefix: number): void {
  requestRoute(`adding an address to ${name}`, encodeAddAddress(SEQ, interfaceIndex(name), address, prefix));
}
