/**
 * Addresses as the kernel's binding code compares them. Everywhere in this room an address is its canonical text
 * (RFC 5952, `::ffff:a.b.c.d` for a v4-mapped one), so that states can be compared and stored.
 */
import { formatIp, parseIp } from "../codec/address.ts";
import type { Family } from "../call/call.ts";

const MAPPED = "::ffff:";

/** What a non-mapped IPv6 socket has in the place of an IPv4 address (LOOPBACK4_IPV6, include/net/ipv6.h). */
const NO_IPV4 = "127.0.0.6";

/** The canonical text; undefined if `text` is not an address. */
export function canonical(text: string): string | undefined {
  const bytes = parseIp(text);
  return bytes && formatIp(bytes);
}

export function isIpv6(address: string): boolean {
  return address.includes(":");
}

export function isMapped(address: string): boolean {
  return address.startsWith(MAPPED) && address.includes(".");
}

/** True for 0.0.0.0, :: and ::ffff:0.0.0.0. */
export function isWildcard(address: string): boolean {
  return address === "::" || asIpv4(address) === "0.0.0.0";
}

/** `a.b.c.d` as `::ffff:a.b.c.d`: under this key the kernel keeps the addresses of both families. */
export function asIpv6(address: string): string {
  return isIpv6(address) ? address : MAPPED + address;
}

/** The IPv4 address that an IPv6 socket at this address has in `sk_rcv_saddr`. */
export function asIpv4(address: string): string {
  if (!isIpv6(address)) return address;
  if (address === "::") return "0.0.0.0";
  return isMapped(address) ? address.slice(MAPPED.length) : NO_IPV4;
}

export function wildcardOf(family: Family): string {
  return family === "IPv4" ? "0.0.0.0" : "::";
}

export function isMulticast(address: string): boolean {
  const first = parseIp(address)?.[0] ?? 0;
  return isIpv6(address) ? first === 0xff : first >> 4 === 0xe;
}

/** An end as comparisons see it. */
export interface Bound {
  family: Family;
  address: string;
  ipv6Only: boolean | undefined;
}

function ipv4Equal(one: string, other: string, matchOne: boolean, matchOther: boolean): boolean {
  return one === other || (matchOne && one === "0.0.0.0") || (matchOther && other === "0.0.0.0");
}

type Kind = "any" | "mapped" | "other";

function kindOf({ family, address }: Bound): Kind {
  if (family === "IPv4" || isMapped(address)) return "mapped";
  return address === "::" ? "any" : "other";
}

function ipv6Equal(one: Bound, other: Bound, matchOne: boolean, matchOther: boolean): boolean {
  const kind = kindOf(one);
  const otherKind = kindOf(other);
  if (kind === "mapped" && otherKind === "mapped") {
    return !other.ipv6Only && ipv4Equal(asIpv4(one.address), asIpv4(other.address), matchOne, matchOther);
  }
  if (kind === "any" && otherKind === "any") return true;
  if (otherKind === "any" && matchOther && !(other.ipv6Only && kind === "mapped")) return true;
  if (kind === "any" && matchOne && !(one.ipv6Only && otherKind === "mapped")) return true;
  return other.family === "IPv6" && one.address === other.address;
}

/**
 * True if both receive for an address in common; a wildcard stands for every address where `match…` says so
 * (inet_rcv_saddr_equal, net/ipv4/inet_connection_sock.c). Not symmetric in all corners, as the kernel's is not.
 */
export function overlaps(one: Bound, other: Bound, matchOne = true, matchOther = matchOne): boolean {
  if (one.family === "IPv6") return ipv6Equal(one, other, matchOne, matchOther);
  return !other.ipv6Only && ipv4Equal(asIpv4(one.address), asIpv4(other.address), matchOne, matchOther);
}
