/** Whether two local addresses overlap, as the kernel compares them. */
import { isUnspecified, isV4Mapped, parseIp } from "../codec/address.ts";
import type { BindRequest, PortSocket } from "./facts.ts";

/** What the kernel keeps of a socket's local address (struct sock_common). */
interface Kept {
  /** skc_v6_rcv_saddr; undefined for IPv4 sockets. */
  v6?: Uint8Array;
  /** skc_rcv_saddr: for IPv6 sockets the mapped one, or 127.0.0.6 as a stand-in (LOOPBACK4_IPV6). */
  v4: Uint8Array;
  /** undefined: not known. */
  v6only: boolean | undefined;
}

const ANY4 = Uint8Array.of(0, 0, 0, 0);
const STAND_IN = Uint8Array.of(127, 0, 0, 6);

function keptOf(address: Uint8Array, v6only: boolean | undefined): Kept {
  if (address.length === 4) return { v4: address, v6only: false };
  if (isV4Mapped(address)) return { v6: address, v4: address.subarray(12), v6only: false };
  return { v6: address, v4: isUnspecified(address) ? ANY4 : STAND_IN, v6only };
}

/** The address of a listed socket as bytes: a dual-stack wildcard is listed as `*`. */
export function localBytes(socket: Pick<PortSocket, "local">): Uint8Array {
  return socket.local.address === "*" ? new Uint8Array(16) : parseIp(socket.local.address)!;
}

function keptOfSocket(socket: PortSocket): Kept {
  const address = localBytes(socket);
  let v6only = socket.options?.ipv6Only ?? socket.v6only;
  // __inet6_bind: a socket bound to one native address is IPv6 only; one that was accepted there need not be.
  if (socket.state === "LISTEN" && address.length === 16 && !isUnspecified(address)) v6only ??= true;
  return keptOf(address, v6only);
}

const equal = (a: Uint8Array, b: Uint8Array) => a.every((byte, i) => byte === b[i]);

function v4Overlap(a: Uint8Array, b: Uint8Array): boolean {
  return equal(a, b) || isUnspecified(a) || isUnspecified(b);
}

/** inet_rcv_saddr_equal() of net/ipv4/inet_connection_sock.c, the newcomer first; undefined where a flag is unknown. */
function compare(newcomer: Kept, old: Kept): boolean | undefined {
  const unlessV6only = (overlap: boolean) => (overlap ? (old.v6only === undefined ? undefined : !old.v6only) : false);
  if (!newcomer.v6) return unlessV6only(v4Overlap(newcomer.v4, old.v4));
  const newMapped = isV4Mapped(newcomer.v6);
  const oldMapped = old.v6 === undefined || isV4Mapped(old.v6);
  if (newMapped && oldMapped) return unlessV6only(v4Overlap(newcomer.v4, old.v4));
  if (old.v6 && isUnspecified(old.v6)) return newMapped ? unlessV6only(true) : true;
  if (isUnspecified(newcomer.v6)) return !(newcomer.v6only && oldMapped);
  return old.v6 !== undefined && equal(newcomer.v6, old.v6);
}

/** True if a bind as asked meets the socket's address; undefined where IPV6_V6ONLY of the socket would decide. */
export function overlaps(request: BindRequest, socket: PortSocket): boolean | undefined {
  const native = request.address.length === 16 && !isUnspecified(request.address);
  return compare(keptOf(request.address, native || request.ipv6Only), keptOfSocket(socket));
}
