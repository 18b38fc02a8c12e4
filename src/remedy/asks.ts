/** A bind that is asked about, described by whoever asks. */
import { formatEndpoint, formatZoned, type Zone } from "../codec/address.ts";
import type { Ask } from "../diagnose/diagnose.ts";
import { ANY4, ANY6 } from "./wildcard.ts";

export interface DescribedBind {
  port: number;
  /** 4 or 16 bytes; by default 0.0.0.0, or :: with `ipv6Only`. */
  address?: Uint8Array | undefined;
  zone?: Zone | undefined;
  reuseAddress?: boolean | undefined;
  reusePort?: boolean | undefined;
  /** Of IPv6 addresses. */
  ipv6Only?: boolean | undefined;
  /** By default the caller. */
  uid?: number | undefined;
}

export function describedAsk(described: DescribedBind): Ask {
  const { port, zone, reuseAddress = false, reusePort = false, ipv6Only = false, uid = process.geteuid!() } = described;
  const address = described.address ?? (ipv6Only ? ANY6 : ANY4);
  const set = [
    ...(reuseAddress ? ["SO_REUSEADDR"] : []),
    ...(reusePort ? ["SO_REUSEPORT"] : []),
    ...(ipv6Only ? ["IPV6_V6ONLY"] : []),
  ];
  const name = `a bind to ${formatEndpoint(formatZoned({ address, zone }), port)}${set.length > 0 ? ` with ${set.join(", ")}` : ""}`;
  return { name, request: { address, zone, port, reuseAddress, reusePort, ipv6Only, uid } };
}
