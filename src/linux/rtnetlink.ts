/** The NETLINK_ROUTE client: sets up interfaces of the calling thread's network namespace. */
import { readFileSync } from "node:fs";
import { describeDecodeError } from "../codec/decoded.ts";
import { decodeNetlinkAnswer, decodeNetlinkMessages } from "../codec/nlmsg.ts";
import { encodeAddAddress, encodeAddVeth, encodeLinkUp, type LinkSettings, type VethEnd } from "../codec/rtnetlink.ts";
import { AF_NETLINK, NETLINK_ROUTE, poll, recv, send, SOCK_RAW, socket } from "../sys/index.ts";
import { interfaceIndex } from "./interfaces.ts";
import { NetlinkError } from "./netlink-error.ts";
import type { NetworkNamespace } from "./network-namespace.ts";

const SEQ = 1;
/** How long the kernel may take to make an address its own, milliseconds. */
const PATIENCE_MS = 10_000;

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

/** Brings an interface up. */
export function linkUp(name: string, settings: LinkSettings): void {
  requestRoute(`bringing ${name} up`, encodeLinkUp(SEQ, name, settings));
}

/** True once packets to this IPv6 address are the calling thread's namespace's own: it has a route to itself. */
function hasLocalRoute(address: Uint8Array): boolean {
  const start = `${Buffer.from(address).toString("hex")} 80 `;
  const routes = readFileSync("/proc/thread-self/net/ipv6_route", "latin1").split("\n");
  return routes.some((route) => route.startsWith(start));
}

/**
 * Gives an interface an address, 4 or 16 bytes, in a network of this prefix. Returns when it can be used: the kernel leaves
 * the last of it to a thread where it is of IPv6 (net/ipv6/addrconf.c, `addrconf_dad_start`).
 */
export function addAddress(name: string, address: Uint8Array, prefix: number): void {
  requestRoute(`adding an address to ${name}`, encodeAddAddress(SEQ, interfaceIndex(name), address, prefix));
  const deadline = performance.now() + PATIENCE_MS;
  while (address.length === 16 && !hasLocalRoute(address)) {
    if (performance.now() > deadline) throw new Error(`the address that ${name} was given is not there`);
    poll([], 1);
  }
}

/** Makes a veth pair: `end` here, `peer` in `namespace`. */
export function addVeth(end: VethEnd, peer: VethEnd, namespace: NetworkNamespace): void {
  requestRoute("making a veth pair", encodeAddVeth(SEQ, end, peer, namespace.descriptor));
}
