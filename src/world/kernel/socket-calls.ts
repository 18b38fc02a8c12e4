/**
 * Makes socket calls for a process on the running kernel: descriptors are those of the process (the lowest free number
 * from 3), sockets are non-blocking, and a call that would block says so and is made again later.
 */
import { formatIp, parseIp } from "../../codec/address.ts";
import { decodeSockaddr, encodeSockaddr } from "../../codec/sockaddr.ts";
import { dataBytes, type Call, type Endpoint, type PollEvent, type Result } from "../../call/call.ts";
import { errnoName, ERRNO } from "../../call/errno.ts";
import * as sys from "../../sys/index.ts";
import { tryGetOption, trySetOption } from "./options.ts";

const { Fd } = sys;

/** The call can't be finished now. */
export const WOULD_BLOCK = Symbol("would block");

const FIRST_DESCRIPTOR = 3;

const POLL_EVENTS: readonly (readonly [PollEvent, number])[] = [
  ["IN", sys.POLLIN],
  ["OUT", sys.POLLOUT],
  ["ERR", sys.POLLERR],
  ["HUP", sys.POLLHUP],
  ["RDHUP", sys.POLLRDHUP],
];

function failure(errno: number): Result {
  return { ok: false, errno, code: errnoName(errno) };
}

/** A result as system calls give it: a value, or `-errno`. */
function outcome(result: number): Result {
  return result < 0 ? failure(-result) : { ok: true, value: result };
}

function sockaddr({ address, port }: Endpoint): Uint8Array {
  const bytes = parseIp(address);
  if (!bytes) throw new TypeError(`'${address}' is not an IP address`);
  return encodeSockaddr({ address: bytes, port });
}

function endpoint(bytes: Uint8Array): Endpoint {
  const result = decodeSockaddr(bytes);
  if (!result.ok) throw new Error("the kernel gave an address of another family");
  return { address: formatIp(result.value.address), port: result.value.port };
}

/** What has been made, and the socket that it made or was about: the kernel's cookie, as text. */
export interface Performed {
  result: Result | typeof WOULD_BLOCK;
  cookie?: string;
}

/** What is known of a call that blocks: how much of it is done. */
interface Progress {
  connecting?: boolean;
  bytes?: Uint8Array;
  written: number;
}

export class SocketCalls {
  readonly #table: Map<number, sys.Fd>;
  readonly #progress = new WeakMap<Call, Progress>();

  /** `inHost` runs what makes a socket, in the namespace where it belongs. */
  constructor(
    private readonly inHost: <T>(make: () => T) => T = (make) => make(),
    descriptors: ReadonlyMap<number, number> = new Map(),
  ) {
    this.#table = new Map([...descriptors].map(([number, real]) => [number, new Fd(real)]));
  }

  /** The process's descriptors, the lowest first, and the numbers that the kernel knows them by. */
  get descriptors(): Map<number, number> {
    const sorted = [...this.#table].sort(([a], [b]) => a - b);
    return new Map(sorted.map(([number, { number: real }]) => [number, real]));
  }

  /** The real descriptor behind a number of the process; undefined if it has none. */
  real(fd: number): sys.Fd | undefined {
    return this.#table.get(fd);
  }

  #cookie(fd: number): string | undefined {
    const socket = this.#table.get(fd);
    if (!socket) return undefined;
    const bytes = sys.getsockoptBytes(socket, sys.SOL_SOCKET, sys.SO_COOKIE, 8);
    return String(new DataView(bytes.buffer).getBigUint64(0, true));
  }

  #add(socket: sys.Fd): Result {
    let number = FIRST_DESCRIPTOR;
    while (this.#table.has(number)) number++;
    this.#table.set(number, socket);
    return { ok: true, value: number };
  }

  /** Makes the call, or goes on with one that would have blocked: the same object. */
  perform(call: Call): Performed {
    const about = "fd" in call ? this.#cookie(call.fd) : undefined; // before `close` takes it away
    const result = this.#make(call);
    const made = call.name === "socket" || call.name === "accept";
    const cookie = made && result !== WOULD_BLOCK && result.ok ? this.#cookie(result.value) : about;
    return { result, ...(cookie !== undefined && { cookie }) };
  }

  #make(call: Call): Result | typeof WOULD_BLOCK {
    if (call.name === "socket") return this.#socket(call.family);
    if (!("fd" in call)) throw new TypeError(`${call.name} is not a call about a socket`);
    const fd = this.#table.get(call.fd);
    if (!fd) return failure(ERRNO.EBADF);
    switch (call.name) {
      case "bind":
        return outcome(sys.tryBind(fd, sockaddr(call)));
      case "listen":
        return outcome(sys.tryListen(fd, call.backlog));
      case "accept":
        return this.#accept(fd);
      case "connect":
        return this.#connect(fd, call);
      case "read":
        return this.#read(fd, call.length);
      case "write":
        return this.#write(fd, call);
      case "shutdown":
        return outcome(sys.tryShutdown(fd, { read: sys.SHUT_RD, write: sys.SHUT_WR, both: sys.SHUT_RDWR }[call.how]));
      case "close":
        fd.close();
        this.#table.delete(call.fd);
        return { ok: true, value: 0 };
      case "getsockname":
        return { ok: true, value: 0, endpoint: endpoint(sys.getsockname(fd)) };
      case "poll":
        return this.#poll(fd);
      case "ioctl":
        return this.#ioctl(fd, call.request);
      case "setsockopt":
        return outcome(trySetOption(fd, call.option, call.value));
      case "getsockopt": {
        const got = tryGetOption(fd, call.option);
        return "errno" in got ? failure(got.errno) : { ok: true, value: got.value };
      }
    }
  }

  #socket(family: "IPv4" | "IPv6"): Result {
    const domain = family === "IPv4" ? sys.AF_INET : sys.AF_INET6;
    return this.#add(this.inHost(() => sys.socket(domain, sys.SOCK_STREAM | sys.SOCK_NONBLOCK, 0)));
  }

  #accept(fd: sys.Fd): Result | typeof WOULD_BLOCK {
    const accepted = sys.tryAccept(fd, sys.SOCK_NONBLOCK);
    if (accepted === -sys.EAGAIN) return WOULD_BLOCK;
    if (accepted < 0) return failure(-accepted);
    const socket = new Fd(accepted);
    const result = this.#add(socket);
    return { ...result, ...(result.ok && { endpoint: this.#peer(socket) }) };
  }

  /** The peer's address; of a connection that has been reset before it was accepted the kernel tells none. */
  #peer(socket: sys.Fd): Endpoint {
    try {
      return endpoint(sys.getpeername(socket));
    } catch {
      return { address: "", port: 0 };
    }
  }

  #connect(fd: sys.Fd, call: Call & { name: "connect" }): Result | typeof WOULD_BLOCK {
    if (!this.#progress.get(call)?.connecting) {
      const result = sys.tryConnect(fd, sockaddr(call));
      // Where another connect has not returned, this one waits for the same.
      if (result !== -sys.EINPROGRESS && result !== -sys.EALREADY) return outcome(result);
      this.#progress.set(call, { connecting: true, written: 0 });
    }
    const [events] = sys.poll([{ fd, events: sys.POLLOUT }], 0);
    if (events === 0) return WOULD_BLOCK;
    // A second connect tells how the first one ended, and leaves the socket as a blocking connect does.
    const result = sys.tryConnect(fd, sockaddr(call));
    if (result === -sys.EALREADY) return WOULD_BLOCK;
    // Of two that wait for one connection, the other has been told first.
    return outcome(result === -sys.EISCONN ? 0 : result);
  }

  #read(fd: sys.Fd, length: number): Result | typeof WOULD_BLOCK {
    const bytes = new Uint8Array(length);
    const result = sys.tryRecv(fd, bytes);
    if (result === -sys.EAGAIN) return WOULD_BLOCK;
    return result < 0 ? failure(-result) : { ok: true, value: result, bytes: bytes.subarray(0, result) };
  }

  /** Like a blocking write: returns when all is taken, or what was taken before an error. */
  #write(fd: sys.Fd, call: Call & { name: "write" }): Result | typeof WOULD_BLOCK {
    const progress = this.#progress.get(call) ?? { written: 0, bytes: dataBytes(call.data) };
    this.#progress.set(call, progress);
    const bytes = progress.bytes!;
    const flags = sys.MSG_NOSIGNAL | (call.more ? sys.MSG_MORE : 0);
    do {
      const result = sys.trySend(fd, bytes.subarray(progress.written), flags);
      if (result === -sys.EAGAIN) return WOULD_BLOCK;
      if (result < 0) return progress.written > 0 ? { ok: true, value: progress.written } : failure(-result);
      progress.written += result;
    } while (progress.written < bytes.length);
    return { ok: true, value: progress.written };
  }

  #poll(fd: sys.Fd): Result {
    const asked = sys.POLLIN | sys.POLLOUT | sys.POLLRDHUP;
    const revents = sys.poll([{ fd, events: asked }], 0)[0]!;
    const events = POLL_EVENTS.filter(([, bit]) => revents & bit).map(([name]) => name);
    return { ok: true, value: events.length > 0 ? 1 : 0, events };
  }

  #ioctl(fd: sys.Fd, request: "SIOCINQ" | "SIOCOUTQ"): Result {
    const value = new Int32Array(1);
    const result = sys.tryIoctl(fd, request === "SIOCINQ" ? sys.SIOCINQ : sys.SIOCOUTQ, new Uint8Array(value.buffer));
    return result < 0 ? failure(-result) : { ok: true, value: value[0]! };
  }

  /** Closes everything. */
  close(): void {
    for (const fd of this.#table.values()) fd.close();
    this.#table.clear();
  }
}
