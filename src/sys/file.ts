/** Files, directories and waiting, relative to directory descriptors where that is what makes them fast. */
import { AT_FDCWD, EINTR, O_CLOEXEC } from "./constants.ts";
import { orThrow } from "./error.ts";
import { Fd } from "./fd.ts";
import { libc, outcome } from "./ffi.ts";

/** A path as the kernel wants it: bytes that end with NUL. */
export function cString(path: string): Uint8Array {
  return Buffer.from(`${path}\0`);
}

/** openat(2), close-on-exec: the descriptor's number, or `-errno`. `directory` undefined: the working directory. */
export function tryOpenat(directory: Fd | undefined, path: Uint8Array, flags: number): number {
  return outcome(libc.openat(directory?.number ?? AT_FDCWD, path, flags | O_CLOEXEC, 0));
}
export function openat(directory: Fd | undefined, path: string, flags: number): Fd {
  return new Fd(orThrow("openat", tryOpenat(directory, cString(path), flags), path));
}

/** read(2): bytes read, 0 at the end, or `-errno`. */
export function tryRead(fd: Fd, into: Uint8Array): number {
  for (;;) {
    const result = outcome(libc.read(fd.number, into, into.length));
    if (result !== -EINTR) return result;
  }
}
export function read(fd: Fd, into: Uint8Array): number {
  return orThrow("read", tryRead(fd, into));
}

/** write(2): bytes written, or `-errno`. */
export function tryWrite(fd: Fd, bytes: Uint8Array): number {
  for (;;) {
    const result = outcome(libc.write(fd.number, bytes, bytes.length));
    if (result !== -EINTR) return result;
  }
}
export function write(fd: Fd, bytes: Uint8Array): number {
  return orThrow("write", tryWrite(fd, bytes));
}

/** fcntl(2) with an integer argument. */
export function fcntl(fd: Fd, command: number, value = 0): number {
  return orThrow("fcntl", outcome(libc.fcntl(fd.number, command, value)));
}

/** ioctl(2) on a structure that the kernel reads or fills: its result, or `-errno`. */
export function tryIoctl(fd: Fd, request: number, value: Uint8Array): number {
  return outcome(libc.ioctl(fd.number, request, value));
}
export function ioctl(fd: Fd, request: number, value: Uint8Array): number {
  return orThrow("ioctl", tryIoctl(fd, request, value));
}

/** getdents64(2): bytes of directory entries, 0 at the end, or `-errno`. */
export function tryGetdents64(fd: Fd, into: Uint8Array): number {
  return outcome(libc.getdents64(fd.number, into, into.length));
}
export function getdents64(fd: Fd, into: Uint8Array): number {
  return orThrow("getdents64", tryGetdents64(fd, into));
}

/** readlinkat(2): length of the target, cut off at `into.length`, or `-errno`. */
export function tryReadlinkat(directory: Fd | undefined, path: Uint8Array, into: Uint8Array): number {
  return outcome(libc.readlinkat(directory?.number ?? AT_FDCWD, path, into, into.length));
}
export function readlinkat(directory: Fd | undefined, path: string): string {
  const into = new Uint8Array(4096);
  const length = orThrow("readlinkat", tryReadlinkat(directory, cString(path), into));
  return Buffer.from(into.buffer, 0, length).toString();
}

/** open_by_handle_at(2), close-on-exec. `handle` is an encoded `struct file_handle`. Needs CAP_DAC_READ_SEARCH. */
export function tryOpenByHandleAt(mount: Fd, handle: Uint8Array, flags: number): number {
  return outcome(libc.open_by_handle_at(mount.number, handle, flags | O_CLOEXEC));
}
export function openByHandleAt(mount: Fd, handle: Uint8Array, flags: number): Fd {
  return new Fd(orThrow("open_by_handle_at", tryOpenByHandleAt(mount, handle, flags)));
}

export function fchown(fd: Fd, uid: number, gid: number): void {
  orThrow("fchown", outcome(libc.fchown(fd.number, uid, gid)));
}

/** One descriptor to wait for: what is asked (`POLLIN`, `POLLOUT`, …). */
export interface PollRequest {
  fd: Fd;
  events: number;
}

/**
 * poll(2): `revents` of each request, all 0 after `timeoutMs` (milliseconds; negative: no limit). A signal in between
 * does not lengthen the wait.
 */
export function poll(requests: readonly PollRequest[], timeoutMs: number): number[] {
  const bytes = new Uint8Array(8 * requests.length);
  const view = new DataView(bytes.buffer);
  requests.forEach(({ fd, events }, i) => {
    view.setInt32(8 * i, fd.number, true);
    view.setInt16(8 * i + 4, events, true);
  });
  const deadline = performance.now() + timeoutMs;
  for (let left = timeoutMs; ; left = Math.max(0, deadline - performance.now())) {
    const result = outcome(libc.poll(bytes, requests.length, timeoutMs < 0 ? -1 : Math.ceil(left)));
    if (result === -EINTR) continue;
    orThrow("poll", result);
    return requests.map((_, i) => view.getUint16(8 * i + 6, true));
  }
}
