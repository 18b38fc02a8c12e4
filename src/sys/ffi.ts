/**
 * The only file that knows the FFI library, koffi. Nothing is loaded until the first system call: `require("koffi")`
 * costs 8 ms, most of it a loader in JavaScript, so its binary is opened directly (1 ms) and `require` is the fallback.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { NotLinux } from "./error.ts";

/** What is used of koffi. */
interface Koffi {
  load(path: string | null): { func(signature: string): NativeFunction };
  errno(): number;
  address(buffer: Uint8Array): bigint;
  version: string;
}
interface NativeFunction {
  (...values: unknown[]): number;
  /** The same on a thread of Node's pool; the last value is called with what comes of it. */
  async(...values: unknown[]): void;
}

type Scalar = number | bigint;
type Bytes = Uint8Array | null;

/** libc's functions, by the signatures that follow. Each result goes through {@link outcome}. */
interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  socketpair(domain: number, type: number, protocol: number, pair: Bytes): number;
  bind(fd: number, address: Bytes, length: number): number;
  listen(fd: number, backlog: number): number;
  accept4(fd: number, address: Bytes, length: Bytes, flags: number): number;
  connect(fd: number, address: Bytes, length: number): number;
  shutdown(fd: number, how: number): number;
  close(fd: number): number;
  getsockopt(fd: number, level: number, name: number, value: Bytes, length: Bytes): number;
  setsockopt(fd: number, level: number, name: number, value: Bytes, length: number): number;
  getsockname(fd: number, address: Bytes, length: Bytes): number;
  getpeername(fd: number, address: Bytes, length: Bytes): number;
  read(fd: number, into: Bytes, length: number): number;
  write(fd: number, from: Bytes, length: number): number;
  send(fd: number, from: Bytes, length: number, flags: number): number;
  recv(fd: number, into: Bytes, length: number, flags: number): number;
  sendmsg(fd: number, message: Bytes, flags: number): number;
  recvmsg(fd: number, message: Bytes, flags: number): number;
  poll(fds: Bytes, count: number, timeoutMs: number): number;
  fcntl(fd: number, command: number, value: Scalar): number;
  ioctl(fd: number, request: Scalar, value: Bytes): number;
  openat(directory: number, path: Bytes, flags: number, mode: number): number;
  getdents64(fd: number, into: Bytes, length: number): number;
  readlinkat(directory: number, path: Bytes, into: Bytes, length: number): number;
  open_by_handle_at(mount: number, handle: Bytes, flags: number): number;
  fchown(fd: number, uid: number, gid: number): number;
  setns(fd: number, type: number): number;
  unshare(flags: number): number;
  prctl(option: number, a: Scalar, b: Scalar, c: Scalar, d: Scalar): number;
  setresuid(real: number, effective: number, saved: number): number;
  waitid(type: number, id: number, info: Bytes, options: number): number;
  signal(number: number, handler: Scalar): number;
  execvp(file: Bytes, words: Bytes): number;
  syscall(number: number, a: Scalar, b: Scalar, c: Scalar, d: Scalar): number;
  _exit(status: number): number;
}

const SIGNATURES: Record<keyof Libc, string> = {
  socket: "int socket(int, int, int)",
  socketpair: "int socketpair(int, int, int, void *)",
  bind: "int bind(int, const void *, uint32_t)",
  listen: "int listen(int, int)",
  accept4: "int accept4(int, void *, void *, int)",
  connect: "int connect(int, const void *, uint32_t)",
  shutdown: "int shutdown(int, int)",
  close: "int close(int)",
  getsockopt: "int getsockopt(int, int, int, void *, void *)",
  setsockopt: "int setsockopt(int, int, int, const void *, uint32_t)",
  getsockname: "int getsockname(int, void *, void *)",
  getpeername: "int getpeername(int, void *, void *)",
  read: "long read(int, void *, size_t)",
  write: "long write(int, const void *, size_t)",
  send: "long send(int, const void *, size_t, int)",
  recv: "long recv(int, void *, size_t, int)",
  sendmsg: "long sendmsg(int, const void *, int)",
  recvmsg: "long recvmsg(int, void *, int)",
  poll: "int poll(void *, unsigned long, int)",
  fcntl: "int fcntl(int, int, long)",
  ioctl: "int ioctl(int, unsigned long, void *)",
  openat: "int openat(int, const void *, int, int)",
  getdents64: "long getdents64(int, void *, size_t)",
  readlinkat: "long readlinkat(int, const void *, void *, size_t)",
  open_by_handle_at: "int open_by_handle_at(int, void *, int)",
  fchown: "int fchown(int, uint32_t, uint32_t)",
  setns: "int setns(int, int)",
  unshare: "int unshare(int)",
  prctl: "int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)",
  setresuid: "int setresuid(uint32_t, uint32_t, uint32_t)",
  waitid: "int waitid(int, uint32_t, void *, int)",
  signal: "intptr_t signal(int, intptr_t)",
  execvp: "int execvp(const void *, void *)",
  syscall: "long syscall(long, long, long, long, long)",
  _exit: "void _exit(int)",
};

let koffi: Koffi | undefined;
let library: { func(signature: string): NativeFunction } | undefined;

/** package.json pins it: another version's binary is not opened behind its loader's back. */
const KOFFI_VERSION = "3.3.4";

/** koffi's binary for this platform, as npm lays packages out: in a node_modules here or further up. */
function findBinary(): string | undefined {
  const { platform, arch } = process;
  const binary = `node_modules/@koromix/koffi-${platform}-${arch}/${platform}_${arch}/koffi.node`;
  for (let directory = import.meta.dirname; ; directory = dirname(directory)) {
    const path = join(directory, binary);
    if (existsSync(path)) return path;
    if (directory === dirname(directory)) return undefined;
  }
}

function openBinary(): Koffi | undefined {
  const path = findBinary();
  const target = { exports: {} as Koffi };
  try {
    if (path !== undefined) process.dlopen(target, path);
  } catch {
    // Made for another C library (musl): koffi's loader knows better.
  }
  return target.exports.version === KOFFI_VERSION ? target.exports : undefined;
}

function loadKoffi(): Koffi {
  if (process.platform !== "linux") throw new NotLinux();
  const binary = openBinary();
  if (binary) return binary;
  const { createRequire } = process.getBuiltinModule("node:module");
  return createRequire(join(import.meta.dirname, "here.js"))("koffi") as Koffi;
}

function define(name: keyof Libc): NativeFunction {
  koffi ??= loadKoffi();
  // null: the symbols of the running process, whatever its C library is called.
  library ??= koffi.load(null);
  return library.func(SIGNATURES[name]);
}

/** libc, each function looked up at its first call and called directly from then on. */
export const libc: Libc = Object.fromEntries(
  (Object.keys(SIGNATURES) as (keyof Libc)[]).map((name) => [
    name,
    (...values: unknown[]) => {
      const native = define(name);
      (libc as unknown as Record<string, NativeFunction>)[name] = native;
      return native(...values);
    },
  ]),
) as unknown as Libc;

/** Makes a call on another thread while this one goes on: what it returns, -1 for an error. */
export function meanwhile(name: keyof Libc, ...values: unknown[]): Promise<number> {
  return new Promise((resolve, reject) => {
    define(name).async(...values, (error: unknown, result: number) => {
      void values; // alive until here: the other thread reads them
      if (error) reject(error);
      else resolve(result);
    });
  });
}

/** The result of a libc call as the kernel itself gives it: a count or descriptor, or `-errno`. */
export function outcome(result: number): number {
  return result < 0 ? -koffi!.errno() : result;
}

/** The address of a buffer's bytes, for structures that point to others. The buffer must outlive the call. */
export function addressOf(buffer: Uint8Array): bigint {
  koffi ??= loadKoffi();
  return koffi.address(buffer);
}

/** True once the FFI library is in this process. */
export function isLoaded(): boolean {
  return koffi !== undefined;
}
