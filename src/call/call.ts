/**
 * Socket calls as data: what a process asks of its system, and what it gets. Experiments, predictions, the model and the
 * trace all use these records. Descriptors are numbers of the calling process, the lowest free one first, from 3.
 */
import type { Errno } from "./errno.ts";

export type Family = "IPv4" | "IPv6";

/** An address and a port, as people write the address. */
export interface Endpoint {
  address: string;
  port: number;
}

/** Options of sockets by the kernel's names; values are integers, see socket(7), ip(7), ipv6(7), tcp(7). */
export const SOCKET_OPTIONS = [
  "SO_REUSEADDR",
  "SO_REUSEPORT",
  "SO_ERROR",
  /** Seconds that close waits; 0 makes it abort with a RST. Setting -1 turns lingering off. */
  "SO_LINGER",
  /** The index of a device, 0 for none: SO_BINDTODEVICE without its name. */
  "SO_BINDTOIFINDEX",
  "SO_RCVBUF",
  "SO_SNDBUF",
  "IPV6_V6ONLY",
  "IP_TTL",
  "IP_BIND_ADDRESS_NO_PORT",
  /** The lowest port, plus 65536 times the highest. */
  "IP_LOCAL_PORT_RANGE",
  "TCP_NODELAY",
  "TCP_QUICKACK",
  "TCP_LINGER2",
] as const;
export type SocketOption = (typeof SOCKET_OPTIONS)[number];

/** What is written: a text, or one repeated and cut to a length, for amounts that nobody wants to see in full. */
export type Data = string | { repeat: string; length: number };

export type Call =
  | { name: "socket"; family: Family }
  | { name: "setsockopt"; fd: number; option: SocketOption; value: number }
  | { name: "getsockopt"; fd: number; option: SocketOption }
  | { name: "bind"; fd: number; address: string; port: number }
  | { name: "listen"; fd: number; backlog: number }
  | { name: "accept"; fd: number }
  | { name: "connect"; fd: number; address: string; port: number }
  | { name: "read"; fd: number; length: number }
  /** `more`: MSG_MORE, the data may wait for what follows. SIGPIPE is not raised: the errno tells. */
  | { name: "write"; fd: number; data: Data; more?: boolean }
  | { name: "shutdown"; fd: number; how: "read" | "write" | "both" }
  | { name: "close"; fd: number }
  | { name: "getsockname"; fd: number }
  /** Bytes received and not read (SIOCINQ), or written and not acknowledged (SIOCOUTQ). */
  | { name: "ioctl"; fd: number; request: "SIOCINQ" | "SIOCOUTQ" }
  /** Does not wait: what poll(2) says now. */
  | { name: "poll"; fd: number }
  /** The new process has every descriptor of this one, under the same numbers. `child` names it. */
  | { name: "fork"; child: string }
  | { name: "setuid"; uid: number }
  /** `by`: exit(3), or a return from main. */
  | { name: "exit"; status: number; by: "exit" | "return" };

export type CallName = Call["name"];

export type PollEvent = "IN" | "OUT" | "ERR" | "HUP" | "RDHUP";

/** What a call that succeeded gives back; only what the call has. */
export interface Success {
  ok: true;
  /** The new descriptor of `socket` and `accept`; the count of `read`, `write` and `ioctl`; an option's value. */
  value: number;
  /** What `read` got. */
  bytes?: Uint8Array;
  /** The peer of `accept`, the socket's own address of `getsockname`. */
  endpoint?: Endpoint;
  events?: readonly PollEvent[];
}

/** `errno` is Linux's number, `code` its name. */
export interface Failure {
  ok: false;
  errno: number;
  code: Errno;
}

export type Result = Success | Failure;

/** The calls that can block: on a peer, or on buffers. */
export function mayBlock(call: Call): boolean {
  return call.name === "accept" || call.name === "connect" || call.name === "read" || call.name === "write";
}

/** The bytes that stand for `data`: UTF-8. */
export function dataBytes(data: Data): Uint8Array {
  if (typeof data === "string") return new TextEncoder().encode(data);
  const pattern = new TextEncoder().encode(data.repeat);
  const bytes = new Uint8Array(data.length);
  if (pattern.length === 0) return bytes;
  bytes.set(pattern.subarray(0, data.length));
  for (let filled = pattern.length; filled < bytes.length; filled *= 2) bytes.copyWithin(filled, 0, filled);
  return bytes;
}

/** How many bytes `data` stands for. */
export function dataLength(data: Data): number {
  return typeof data === "string" ? new TextEncoder().encode(data).length : data.length;
}
