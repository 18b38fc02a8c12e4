/**
 * Sockets. A call named `tryX` returns `-errno` where the kernel refuses, for callers to whom a refusal is an answer
 * (a non-blocking socket, an experiment); the same call without `try` throws `SyscallError`. Calls that a signal
 * interrupted before anything happened are made again.
 */
import { EINTR, SO_ATTACH_FILTER, SOCK_CLOEXEC, SOL_SOCKET } from "./constants.ts";
import { orThrow } from "./error.ts";
import { Fd } from "./fd.ts";
import { addressOf, libc, meanwhile, outcome } from "./ffi.ts";

/** socket(2), close-on-exec. */
export function socket(domain: number, type: number, protocol: number): Fd {
  return new Fd(orThrow("socket", outcome(libc.socket(domain, type | SOCK_CLOEXEC, protocol))));
}

/** socketpair(2) of this domain, close-on-exec: two sockets connected to each other. */
export function socketpair(domain: number, type: number): [Fd, Fd] {
  const pair = new Int32Array(2);
  orThrow("socketpair", outcome(libc.socketpair(domain, type | SOCK_CLOEXEC, 0, new Uint8Array(pair.buffer))));
  return [new Fd(pair[0]!), new Fd(pair[1]!)];
}

/** bind(2) to an encoded `sockaddr`. */
export function tryBind(fd: Fd, address: Uint8Array): number {
  return outcome(libc.bind(fd.number, address, address.length));
}
export function bind(fd: Fd, address: Uint8Array): void {
  orThrow("bind", tryBind(fd, address));
}

export function tryListen(fd: Fd, backlog: number): number {
  return outcome(libc.listen(fd.number, backlog));
}
export function listen(fd: Fd, backlog: number): void {
  orThrow("listen", tryListen(fd, backlog));
}

const SOCKADDR_SPACE = 128; // sizeof(struct sockaddr_storage)

function addressOut(): { bytes: Uint8Array; length: Uint32Array; lengthBytes: Uint8Array } {
  const length = Uint32Array.of(SOCKADDR_SPACE);
  return { bytes: new Uint8Array(SOCKADDR_SPACE), length, lengthBytes: new Uint8Array(length.buffer) };
}

/** accept4(2), close-on-exec: the new socket and its peer's encoded `sockaddr`. Blocks if the socket does. */
export function accept(fd: Fd, flags = 0): { fd: Fd; peer: Uint8Array } {
  const { bytes, length, lengthBytes } = addressOut();
  for (;;) {
    const result = outcome(libc.accept4(fd.number, bytes, lengthBytes, flags | SOCK_CLOEXEC));
    if (result === -EINTR) continue;
    return { fd: new Fd(orThrow("accept4", result)), peer: bytes.subarray(0, length[0]) };
  }
}

/** accept4(2) for a non-blocking listener: the descriptor's number, or `-errno`. */
export function tryAccept(fd: Fd, flags = 0): number {
  return outcome(libc.accept4(fd.number, null, null, flags | SOCK_CLOEXEC));
}

/** connect(2); `-EINPROGRESS` on a non-blocking socket. Not repeated after a signal: the attempt goes on by itself. */
export function tryConnect(fd: Fd, address: Uint8Array): number {
  return outcome(libc.connect(fd.number, address, address.length));
}
export function connect(fd: Fd, address: Uint8Array): void {
  orThrow("connect", tryConnect(fd, address));
}

/** send(2): bytes taken by the kernel, or `-errno`. */
export function trySend(fd: Fd, bytes: Uint8Array, flags = 0): number {
  for (;;) {
    const result = outcome(libc.send(fd.number, bytes, bytes.length, flags));
    if (result !== -EINTR) return result;
  }
}
export function send(fd: Fd, bytes: Uint8Array, flags = 0): number {
  return orThrow("send", trySend(fd, bytes, flags));
}

/** send(2) on another thread while this one goes on. False: the kernel has taken none of it. */
export async function sendMeanwhile(fd: Fd, bytes: Uint8Array): Promise<boolean> {
  return (await meanwhile("send", fd.number, bytes, bytes.length, 0)) >= 0;
}

/** recv(2): bytes received, 0 at the end of the stream, or `-errno`. */
export function tryRecv(fd: Fd, into: Uint8Array, flags = 0): number {
  for (;;) {
    const result = outcome(libc.recv(fd.number, into, into.length, flags));
    if (result !== -EINTR) return result;
  }
}
export function recv(fd: Fd, into: Uint8Array, flags = 0): number {
  return orThrow("recv", tryRecv(fd, into, flags));
}

/** A message of sendmsg(2) and recvmsg(2): one buffer, and room for control messages. */
export interface Message {
  data: Uint8Array;
  control?: Uint8Array;
}

const MSGHDR_LENGTH = 56; // struct msghdr of 64-bit systems, include/linux/socket.h

function encodeMsghdr(message: Message): { header: Uint8Array; keep: unknown } {
  const header = new BigUint64Array(MSGHDR_LENGTH / 8);
  const iov = BigUint64Array.of(addressOf(message.data), BigInt(message.data.length));
  const iovBytes = new Uint8Array(iov.buffer);
  header[2] = addressOf(iovBytes);
  header[3] = 1n;
  if (message.control) {
    header[4] = addressOf(message.control);
    header[5] = BigInt(message.control.length);
  }
  return { header: new Uint8Array(header.buffer), keep: iovBytes };
}

/** sendmsg(2): bytes sent, or `-errno`. */
export function trySendmsg(fd: Fd, message: Message, flags = 0): number {
  const { header, keep } = encodeMsghdr(message);
  const result = outcome(libc.sendmsg(fd.number, header, flags));
  void keep; // alive until here: the kernel reads it through the header
  return result;
}
export function sendmsg(fd: Fd, message: Message, flags = 0): number {
  return orThrow("sendmsg", trySendmsg(fd, message, flags));
}

/** recvmsg(2): bytes received or `-errno`, how much control data came with it, and `msg_flags`. */
export function tryRecvmsg(
  fd: Fd,
  message: Message,
  flags = 0,
): { result: number; controlLength: number; flags: number } {
  const { header, keep } = encodeMsghdr(message);
  const result = outcome(libc.recvmsg(fd.number, header, flags));
  void keep;
  const view = new DataView(header.buffer);
  return { result, controlLength: Number(view.getBigUint64(40, true)), flags: view.getUint32(48, true) };
}
export function recvmsg(fd: Fd, message: Message, flags = 0): ReturnType<typeof tryRecvmsg> {
  const received = tryRecvmsg(fd, message, flags);
  orThrow("recvmsg", received.result);
  return received;
}

export function tryShutdown(fd: Fd, how: number): number {
  return outcome(libc.shutdown(fd.number, how));
}
export function shutdown(fd: Fd, how: number): void {
  orThrow("shutdown", tryShutdown(fd, how));
}

/** The local address, as an encoded `sockaddr`. */
export function getsockname(fd: Fd): Uint8Array {
  const { bytes, length, lengthBytes } = addressOut();
  orThrow("getsockname", outcome(libc.getsockname(fd.number, bytes, lengthBytes)));
  return bytes.subarray(0, length[0]);
}

/** The peer's address, as an encoded `sockaddr`. */
export function getpeername(fd: Fd): Uint8Array {
  const { bytes, length, lengthBytes } = addressOut();
  orThrow("getpeername", outcome(libc.getpeername(fd.number, bytes, lengthBytes)));
  return bytes.subarray(0, length[0]);
}

/** setsockopt(2) with raw bytes, or with an `int`. */
export function trySetsockopt(fd: Fd, level: number, name: number, value: Uint8Array | number): number {
  const bytes = typeof value === "number" ? new Uint8Array(Int32Array.of(value).buffer) : value;
  return outcome(libc.setsockopt(fd.number, level, name, bytes, bytes.length));
}
export function setsockopt(fd: Fd, level: number, name: number, value: Uint8Array | number): void {
  orThrow("setsockopt", trySetsockopt(fd, level, name, value));
}

/** getsockopt(2) into `bytes`: how many there are, or `-errno`. */
export function tryGetsockopt(fd: Fd, level: number, name: number, bytes: Uint8Array): number {
  const length = Uint32Array.of(bytes.length);
  const result = outcome(libc.getsockopt(fd.number, level, name, bytes, new Uint8Array(length.buffer)));
  return result < 0 ? result : length[0]!;
}

/** getsockopt(2): the option's bytes, at most `space`. */
export function getsockoptBytes(fd: Fd, level: number, name: number, space: number): Uint8Array {
  const bytes = new Uint8Array(space);
  return bytes.subarray(0, orThrow("getsockopt", tryGetsockopt(fd, level, name, bytes)));
}

/** getsockopt(2) of an `int`. */
export function getsockopt(fd: Fd, level: number, name: number): number {
  const bytes = getsockoptBytes(fd, level, name, 4);
  return new DataView(bytes.buffer).getInt32(0, true);
}

/** `struct linger`, the value of SO_LINGER: seconds that close(2) waits; 0 makes it send a RST (tcp(7), socket(7)). */
export function encodeLinger(seconds: number): Uint8Array {
  return new Uint8Array(Int32Array.of(1, seconds).buffer);
}

const SOCK_FILTER_LENGTH = 8; // struct sock_filter, include/uapi/linux/filter.h

/** SO_ATTACH_FILTER: only packets that the program (classic BPF, encoded) accepts reach the socket from now on. */
export function attachFilter(fd: Fd, program: Uint8Array): void {
  const fprog = new Uint8Array(16); // struct sock_fprog of 64-bit systems: count, then a pointer
  const view = new DataView(fprog.buffer);
  view.setUint16(0, program.length / SOCK_FILTER_LENGTH, true);
  view.setBigUint64(8, addressOf(program), true);
  setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, fprog);
}
