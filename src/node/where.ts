/** What programs ask about: a port, or one bind in particular. */
import { formatIp, type ZonedAddress } from "../codec/address.ts";
import type { Ask } from "../diagnose/diagnose.ts";
import { readAddress } from "../linux/zoned-address.ts";
import { describedAsk } from "../remedy/asks.ts";
import { usualAsks } from "../remedy/look.ts";

/** A port, perhaps of one address. @public */
export interface PortAt {
  /** 1 to 65535. */
  port: number;
  /** An IPv4 or IPv6 address, one of a link with its interface (`fe80::1%eth0`); absent: all. */
  address?: string | undefined;
}

/**
 * A port, or one bind. With nothing but port and address two binds are asked about: that of a plain socket, and that of
 * Node's listen (SO_REUSEADDR, and `::` for IPv4 and IPv6 where no address is given).
 *
 * @public
 */
export interface Where extends PortAt {
  reuseAddress?: boolean | undefined;
  reusePort?: boolean | undefined;
  ipv6Only?: boolean | undefined;
  /** The user who binds; by default the caller. */
  uid?: number | undefined;
}

/** Throws `RangeError` for what is no port, `TypeError` for what is no address. */
export function endpointOf(where: number | PortAt): { port: number } & Partial<ZonedAddress> {
  const { port, address: text } = typeof where === "number" ? { port: where } : where;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new RangeError(`${port} is no port`);
  if (text === undefined) return { port };
  const read = readAddress(text);
  if (!read.ok) throw new TypeError(read.problem);
  return { port, ...read.value };
}

export function asksOf(where: number | Where): Ask[] {
  const endpoint = endpointOf(where);
  if (typeof where === "number") return usualAsks(endpoint);
  const { reuseAddress, reusePort, ipv6Only, uid } = where;
  if ([reuseAddress, reusePort, ipv6Only, uid].every((value) => value === undefined)) return usualAsks(endpoint);
  if (ipv6Only && endpoint.address?.length === 4) {
    throw new TypeError(`ipv6Only: ${formatIp(endpoint.address)} is no IPv6 address`);
  }
  return [describedAsk({ ...endpoint, reuseAddress, reusePort, ipv6Only, uid })];
}
