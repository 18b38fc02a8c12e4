/** Asks another process's socket about its own options, which no listing tells, and sets one. */
import { fstatSync } from "node:fs";
import type { SharingOptions } from "../diagnose/facts.ts";
import {
  getsockopt,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  pidfdGetfd,
  pidfdOpen,
  setsockopt,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOL_SOCKET,
  SyscallError,
  type Fd,
} from "../sys/index.ts";
import type { Holder } from "./holders.ts";

/**
 * Does something with the socket behind this descriptor of a process; undefined if the descriptor refers to something else
 * by now. The borrowed descriptor keeps the port while it is open: it is closed before this returns. Throws `SyscallError`:
 * EPERM (it takes what ptrace takes); ESRCH and EBADF if the process has ended or closed it since, or its first thread has
 * ended.
 */
function borrow<T>({ pid, fd }: Holder, inode: number, use: (socket: Fd) => T): T | undefined {
  using process = pidfdOpen(pid);
  using socket = pidfdGetfd(process, fd);
  return fstatSync(socket.number).ino === inode ? use(socket) : undefined;
}

const isSet = (socket: Fd, option: number) => getsockopt(socket, SOL_SOCKET, option) !== 0;

/** The options of the socket behind this descriptor of a process, or undefined where they may not be read. */
export function borrowOptions(holder: Holder, inode: number, ipv6: boolean): SharingOptions | undefined {
  try {
    return borrow(holder, inode, (socket) => ({
      reuseAddress: isSet(socket, SO_REUSEADDR),
      reusePort: isSet(socket, SO_REUSEPORT),
      ...(ipv6 && { ipv6Only: getsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY) !== 0 }),
    }));
  } catch (error) {
    if (error instanceof SyscallError) return undefined;
    throw error;
  }
}

/**
 * Sets SO_REUSEADDR on the socket behind this descriptor of a process, and reads it back; undefined if the descriptor
 * refers to something else by now. Throws `SyscallError` as above.
 */
export function setReuseAddress(holder: Holder, inode: number): boolean | undefined {
  return borrow(holder, inode, (socket) => {
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, 1);
    return isSet(socket, SO_REUSEADDR);
  });
}
