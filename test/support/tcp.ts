/** TCP sockets that a test makes by system calls in a network namespace of its own, closed together. */
import { parseIp } from "../../src/codec/address.ts";
import { decodeSockaddr, encodeSockaddr, type SocketAddress } from "../../src/codec/sockaddr.ts";
import { enterNewNetworkNamespace } from "../../src/linux/namespace.ts";
import {
  accept,
  AF_INET,
  AF_INET6,
  bind,
  connect,
  getsockname,
  listen,
  socket,
  SOCK_STREAM,
  type Fd,
} from "../../src/sys/index.ts";

let entered = false;

/** Moves the test file's thread into a new network namespace, at the first call. The namespace ends with the process. */
export function enterNamespace(): void {
  if (!entered && !enterNewNetworkNamespace()) throw new Error("no network namespace, although one was granted before");
  entered = true;
}

export function sockaddr(ip: string, port = 0): Uint8Array {
  return encodeSockaddr({ address: parseIp(ip)!, port });
}

/** The address that the kernel says the socket has. */
export function localOf(fd: Fd): SocketAddress {
  const local = decodeSockaddr(getsockname(fd));
  if (!local.ok) throw new Error("getsockname gave no inet address");
  return local.value;
}

export interface SocketOptions {
  port?: number;
  /** SOCK_NONBLOCK and the like. */
  flags?: number;
  /** Sets options before bind or connect. */
  prepare?: (fd: Fd) => void;
}

export class Sockets {
  readonly #all: Fd[] = [];

  keep(fd: Fd): Fd {
    this.#all.push(fd);
    return fd;
  }

  /** A socket of the address's family. */
  create(ip: string, { flags = 0, prepare }: SocketOptions = {}): Fd {
    const fd = this.keep(socket(ip.includes(":") ? AF_INET6 : AF_INET, SOCK_STREAM | flags, 0));
    prepare?.(fd);
    return fd;
  }

  bound(ip: string, options: SocketOptions = {}): Fd {
    const fd = this.create(ip, options);
    bind(fd, sockaddr(ip, options.port));
    return fd;
  }

  listener(ip: string, options: SocketOptions & { backlog?: number } = {}): Fd {
    const fd = this.bound(ip, options);
    listen(fd, options.backlog ?? 128);
    return fd;
  }

  /** A connection to the listener's port at `ip` (that nobody has accepted yet). */
  client(listener: Fd, ip: string, options: SocketOptions = {}): Fd {
    const fd = options.port === undefined ? this.create(ip, options) : this.bound(ip, options);
    connect(fd, sockaddr(ip, localOf(listener).port));
    return fd;
  }

  accept(listener: Fd): Fd {
    return this.keep(accept(listener).fd);
  }

  /** Both ends of a connection to the listener's port at `ip`. */
  pair(listener: Fd, ip: string, options: SocketOptions = {}): { client: Fd; server: Fd } {
    const client = this.client(listener, ip, options);
    return { client, server: this.accept(listener) };
  }

  close(): void {
    for (const fd of this.#all.splice(0)) fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
