import type { ZonedAddress } from "../codec/address.ts";
import type { Trial } from "../diagnose/facts.ts";
import { readAddress } from "../linux/zoned-address.ts";
import { anyOfNode } from "../remedy/wildcard.ts";

/** What a listen may have asked for that its error does not tell. */
export interface Asked {
  ipv6Only?: boolean | undefined;
  reusePort?: boolean | undefined;
}

export type ListenError = NodeJS.ErrnoException & { address?: unknown; port?: unknown };

/** Node names the address that it has chosen itself; a cluster's worker, which has not, names none. */
function addressOf(text: unknown): ZonedAddress | undefined {
  if (text === null) return { address: anyOfNode() };
  const read = typeof text === "string" ? readAddress(text) : undefined;
  return read?.ok ? read.value : undefined;
}

/**
 * The bind behind an error of listen; undefined for a pipe, a descriptor, or where no port was asked for and none is left.
 * The kernel has made it and refused it: it is as good as a trial.
 */
export function refusedBind({ code, address: text, port = 0 }: ListenError, asked: Asked = {}): Trial | undefined {
  const address = addressOf(text);
  if (address === undefined || typeof port !== "number" || port < 0 || (port === 0 && code === "EADDRINUSE")) {
    return undefined;
  }
  const { ipv6Only = false, reusePort = false } = asked;
  return {
    // libuv sets SO_REUSEADDR on every listener (src/unix/tcp.c, uv__tcp_bind).
    request: { ...address, port, reuseAddress: true, reusePort, ipv6Only, uid: process.geteuid!() },
    errno: code!,
  };
}
