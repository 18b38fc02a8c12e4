/** Processes, credentials and namespaces of the calling thread. */
import {
  CLD_EXITED,
  ENOSYS,
  P_PIDFD,
  SIG_DFL,
  SYS_pidfd_getfd,
  SYS_pidfd_open,
  SYS_pidfd_send_signal,
  WEXITED,
  WNOHANG,
  WNOWAIT,
} from "./constants.ts";
import { orThrow, SyscallError } from "./error.ts";
import { Fd } from "./fd.ts";
import { addressOf, libc, outcome } from "./ffi.ts";
import { cString, fcntl } from "./file.ts";

/** pidfd_open(2): a descriptor that stands for this very process, whatever becomes of its pid. */
export function pidfdOpen(pid: number): Fd {
  return new Fd(orThrow("pidfd_open", outcome(libc.syscall(SYS_pidfd_open, pid, 0, 0, 0))));
}

/** pidfd_getfd(2): a duplicate of descriptor `number` of that process. Needs PTRACE_MODE_ATTACH_REALCREDS. */
export function pidfdGetfd(pidfd: Fd, number: number): Fd {
  return new Fd(orThrow("pidfd_getfd", outcome(libc.syscall(SYS_pidfd_getfd, pidfd.number, number, 0, 0))));
}

/** pidfd_send_signal(2); signal 0 only asks whether one could be sent. */
export function pidfdSendSignal(pidfd: Fd, signal: number): void {
  orThrow("pidfd_send_signal", outcome(libc.syscall(SYS_pidfd_send_signal, pidfd.number, signal, 0, 0)));
}

/** How a child ended: its exit status, or the number of the signal that it died of. */
export type ChildEnding = { status: number } | { signal: number };

const SIGINFO = { length: 128, code: 8, status: 24 }; // siginfo_t of a child, 64-bit systems

/**
 * How the child behind a pidfd has ended, or undefined while it runs (waitid(2)). It is left to be waited for: Node does
 * that when its event loop turns.
 */
export function childEnding(pidfd: Fd): ChildEnding | undefined {
  const info = new Uint8Array(SIGINFO.length);
  const flags = WEXITED | WNOHANG | WNOWAIT;
  orThrow("waitid", outcome(libc.waitid(P_PIDFD, pidfd.number, info, flags)));
  const view = new DataView(info.buffer);
  const code = view.getInt32(SIGINFO.code, true);
  if (code === 0) return undefined;
  const status = view.getInt32(SIGINFO.status, true);
  return code === CLD_EXITED ? { status } : { signal: status };
}

const KCMP_FILES = 2; // include/uapi/linux/kcmp.h
const SYS_kcmp: Record<string, number> = { x64: 312, arm64: 272 };

/**
 * True if both threads use one table of descriptors (kcmp(2)). False also where that can't be told: no such call on this
 * kernel, or no permission.
 */
export function sharesDescriptors(one: number, other: number): boolean {
  const call = SYS_kcmp[process.arch];
  return call !== undefined && libc.syscall(call, one, other, KCMP_FILES, 0) === 0;
}

/** prctl(2), with integers or addresses as arguments. */
export function prctl(option: number, a: number | bigint = 0, b: number | bigint = 0): number {
  return orThrow("prctl", outcome(libc.prctl(option, a, b, 0, 0)));
}

/** setresuid(2), for all threads of the process (the C library sees to that). */
export function setresuid(real: number, effective: number, saved: number): void {
  orThrow("setresuid", outcome(libc.setresuid(real, effective, saved)));
}

const SYS_setfsuid: Record<string, number> = { x64: 122, arm64: 151 };

/**
 * setfsuid(2), for the calling thread alone: the uid that files and sockets made from now on belong to. Returns the one
 * before. What else the thread may do stays as it is, but for the capabilities about files.
 */
export function setfsuid(uid: number): number {
  const call = SYS_setfsuid[process.arch];
  if (call === undefined) throw new SyscallError("setfsuid", ENOSYS);
  return libc.syscall(call, uid, 0, 0, 0);
}

/** setns(2): moves the calling thread into the namespace. */
export function setns(namespace: Fd, type: number): void {
  orThrow("setns", outcome(libc.setns(namespace.number, type)));
}

/** unshare(2): gives the calling thread new namespaces. A new user namespace is refused (EINVAL): Node has threads. */
export function unshare(flags: number): void {
  orThrow("unshare", outcome(libc.unshare(flags)));
}

/** Gives a signal its default action again. Node ignores SIGPIPE; a C program dies of it. */
export function restoreDefaultSignal(signal: number): void {
  orThrow("signal", outcome(libc.signal(signal, SIG_DFL)));
}

const F_SETFD = 2; // include/uapi/linux/fcntl.h
const IGNORED_BY_NODE = [13, 25]; // SIGPIPE, SIGXFSZ (src/node.cc, PlatformInit)

/**
 * execvp(3): this process becomes that program, looked for in PATH, with the standard streams and the environment that it
 * has. Returns only by throwing `SyscallError`. What Node has changed for itself is undone before: signals that it ignores
 * would be ignored by the program too, and the standard streams would be closed (uv_disable_stdio_inheritance).
 */
export function execvp(words: readonly [string, ...string[]]): never {
  for (const number of IGNORED_BY_NODE) restoreDefaultSignal(number);
  for (const number of [0, 1, 2]) fcntl(new Fd(number), F_SETFD, 0);
  const strings = words.map(cString);
  const pointers = BigUint64Array.from([...strings.map(addressOf), 0n]);
  const errno = -outcome(libc.execvp(strings[0]!, new Uint8Array(pointers.buffer)));
  throw new SyscallError("execvp", errno, words[0]);
}

/** _exit(2): ends the process at once, nothing torn down. For commands that have written all they had to say. */
export function exitNow(status: number): never {
  libc._exit(status);
  throw new Error("unreachable: _exit does not return");
}

const SYS_bpf: Record<string, number> = { x64: 321, arm64: 280 };

/** bpf(2): a descriptor or what else the command returns, or `-errno`. `attributes` is its `union bpf_attr`. */
export function tryBpf(command: number, attributes: Uint8Array): number {
  const call = SYS_bpf[process.arch];
  if (call === undefined) return -ENOSYS;
  return outcome(libc.syscall(call, command, addressOf(attributes), attributes.length, 0));
}
