/** Network namespaces as things to hold: made, entered for a moment, and gone when nobody holds them. */
import { fstatSync } from "node:fs";
import { CLONE_NEWNET, Fd, O_RDONLY, openat, setns, unshare } from "../sys/index.ts";
import { bringUp } from "./namespace.ts";

function current(): Fd {
  // thread-self: a thread may live elsewhere than its process's first.
  return openat(undefined, "/proc/thread-self/ns/net", O_RDONLY);
}

export class NetworkNamespace {
  private constructor(
    private readonly fd: Fd,
    private readonly home: Fd,
  ) {}

  /** A new namespace with loopback up. The calling thread stays where it is. Throws `SyscallError` (EPERM). */
  static create(): NetworkNamespace {
    const home = current();
    unshare(CLONE_NEWNET);
    try {
      bringUp("lo");
      return new NetworkNamespace(current(), home);
    } finally {
      setns(home, CLONE_NEWNET);
    }
  }

  /** The number under which /proc/PID/ns/net names it. */
  get inode(): number {
    return fstatSync(this.fd.number).ino;
  }

  /** The descriptor that stands for it, as rtnetlink takes it (IFLA_NET_NS_FD). */
  get descriptor(): number {
    return this.fd.number;
  }

  /** Runs `action` there: sockets that it makes and processes that it starts belong to this namespace. */
  run<T>(action: () => T): T {
    setns(this.fd, CLONE_NEWNET);
    try {
      return action();
    } finally {
      setns(this.home, CLONE_NEWNET);
    }
  }

  /** Lets go of it. The kernel frees it when no process, socket or device of it is held any more. */
  close(): void {
    this.fd.close();
    this.home.close();
  }
}
