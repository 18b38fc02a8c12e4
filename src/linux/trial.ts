/** What the kernel says to a bind: made, and undone at once. */
import type { ZonedAddress } from "../codec/address.ts";
import { encodeSockaddr } from "../codec/sockaddr.ts";
import type { BindRequest, Trial } from "../diagnose/facts.ts";
import {
  AF_INET,
  AF_INET6,
  errnoName,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  setsockopt,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_DGRAM,
  SOCK_STREAM,
  socket,
  SOL_SOCKET,
  tryBind,
} from "../sys/index.ts";

/** Runs `action` as a user: only root can be another. undefined where this process can't. */
function asUser<T>(uid: number, action: () => T): T | undefined {
  const own = process.geteuid!();
  if (uid === own) return action();
  if (own !== 0) return undefined;
  try {
    process.seteuid!(uid);
  } catch {
    return undefined; // a user namespace has no such user; a worker thread can't be another
  }
  try {
    return action();
  } finally {
    process.seteuid!(own);
  }
}

/**
 * Binds as asked, without listen, and closes the socket in the same tick: for some microseconds another program that
 * binds there may be refused. undefined where it can't be tried as that user.
 */
export function tryBindOnce(request: BindRequest): Trial | undefined {
  const { address, zone, port, reuseAddress, reusePort, ipv6Only, uid } = request;
  return asUser(uid, () => {
    using fd = socket(address.length === 4 ? AF_INET : AF_INET6, SOCK_STREAM, 0);
    if (reuseAddress) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (reusePort) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (address.length === 16) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, ipv6Only ? 1 : 0);
    const result = tryBind(fd, encodeSockaddr({ address, port, scope: zone?.index ?? 0 }));
    return { request, errno: result < 0 ? errnoName(-result) : null };
  });
}

/** The errno of a bind to this address and no port in particular, of UDP, which no TCP port is touched by; null: none. */
export function addressErrno({ address, zone }: ZonedAddress): string | null {
  using fd = socket(address.length === 4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
  const result = tryBind(fd, encodeSockaddr({ address, port: 0, scope: zone?.index ?? 0 }));
  return result < 0 ? errnoName(-result) : null;
}
