/** Ends sockets from outside: the kernel's SOCK_DESTROY. */
import type { InetDiagMessage } from "../codec/inet-diag.ts";
import { NetlinkError } from "./netlink-error.ts";
import { SockDiag } from "./sock-diag.ts";

/**
 * Ends these sockets, each known by its cookie, so that never another with the same ends is hit. Returns how many are gone;
 * one that has gone by itself counts. Needs CAP_NET_ADMIN over the network namespace. Throws `NetlinkError` at the first that
 * the kernel refuses: EPERM, or EOPNOTSUPP without CONFIG_INET_DIAG_DESTROY.
 */
export function destroySockets(messages: readonly InetDiagMessage[]): number {
  if (messages.length === 0) return 0;
  using diag = new SockDiag();
  for (const message of messages) {
    try {
      diag.destroy(message.family === 2 ? 2 : 10, message);
    } catch (error) {
      if (!(error instanceof NetlinkError) || error.code !== "ENOENT") throw error;
    }
  }
  return messages.length;
}
