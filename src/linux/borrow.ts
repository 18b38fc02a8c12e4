/** Asks another process's socket about its own options, which no listing tells. */
import { fstatSync } from "node:fs";
import type { SharingOptions } from "../diagnose/facts.ts";
import {
  getsockopt,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  pidfdGetfd,
  pidfdOpen,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOL_SOCKET,
  SyscallError,
} from "../sys/index.ts";
import type { Holder } from "./holders.ts";

/**
 * The options of the socket behind this descriptor of a process, or undefined where they may not be read (it takes what
 * ptrace takes) or the descriptor refers to something else by now. The borrowed descriptor keeps the port while it is
 * open: it is closed before this returns.
 */
export function borrowOptions({ pid, fd }: Holder, inode: number, ipv6: boolean): SharingOptions | undefined {
  try {
    using process = pidfdOpen(pid);
    using socket = pidfdGetfd(process, fd);
    if (fstatSync(socket.number).ino !== inode) return undefined;
    return {
      reuseAddress: getsockopt(socket, SOL_SOCKET, SO_REUSEADDR) !== 0,
      reusePort: getsockopt(socket, SOL_SOCKET, SO_REUSEPORT) !== 0,
      ...(ipv6 && { ipv6Only: getsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY) !== 0 }),
    };
  } catch (error) {
    // EPERM; ESRCH and EBADF: it has ended or closed it since, or its first thread has.
    if (error instanceof SyscallError) return undefined;
    throw error;
  }
}
