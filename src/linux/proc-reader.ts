/** /proc's directories of processes and descriptors, read with buffers that are used again. */
import {
  ENOENT,
  Fd,
  O_DIRECTORY,
  O_RDONLY,
  openat,
  tryGetdents64,
  tryOpenat,
  tryRead,
  tryReadlinkat,
} from "../sys/index.ts";

/** `hidepid`: /proc shows the processes of others to root alone; `no proc`: there is no /proc. */
export type Hidden = "hidepid" | "no proc";

const ZERO = 0x30;
const NINE = 0x39;
const DIRENT = { reclen: 16, name: 19, shortest: 24 }; // struct linux_dirent64, include/linux/dirent.h
const SOCKET_LINK = "socket:[".length; // net/socket.c, sockfs_dname: "socket:[INODE]"
const KTHREADD = 2;
const PF_KTHREAD = 0x00200000; // include/linux/sched.h; nobody else can have it
const [KTHREADD_STAT, KTHREADD_CHILDREN] = [Buffer.from("2/stat\0"), Buffer.from("2/task/2/children\0")];
const [INIT, SELF] = [Buffer.from("1\0"), Buffer.from("self\0")];
const [FD, TASK] = [Buffer.from("/fd\0"), Buffer.from("/task\0")];

/** Reads directories of numbers ("/proc", "/proc/PID/fd") with buffers that are used again. */
export class ProcReader {
  readonly #proc = openat(undefined, "/proc", O_DIRECTORY);
  readonly #entries = new Uint8Array(64 * 1024);
  readonly #link = new Uint8Array(64);
  readonly #path = new Uint8Array(64);

  #open(length: number, last: Uint8Array): Fd | number {
    this.#path.set(last, length);
    const number = tryOpenat(this.#proc, this.#path, O_DIRECTORY);
    return number < 0 ? number : new Fd(number);
  }

  /** The descriptors of a process's first thread; `-errno` where they may not be seen. */
  descriptors(pid: number): Fd | number {
    return this.#open(this.#putNumber(0, pid), FD);
  }

  tasks(pid: number): Fd | number {
    return this.#open(this.#putNumber(0, pid), TASK);
  }

  /** The descriptors of another thread. */
  descriptorsOfThread(pid: number, tid: number): Fd | number {
    const length = this.#putNumber(0, pid);
    this.#path.set(TASK, length);
    this.#path[length + TASK.length - 1] = 0x2f; // '/'
    return this.#open(this.#putNumber(length + TASK.length, tid), FD);
  }

  /**
   * The entries that are numbers. Read to the end, since a signal cuts an answer short (fs/readdir.c, filldir64); or until
   * there are more than `most`.
   */
  numbers(directory: Fd, most = Infinity): number[] {
    // The kernel looks each of them up (fs/proc/fd.c, proc_readfd_common): it is asked for as many as are wanted.
    const entries = this.#entries.subarray(0, Math.max(DIRENT.shortest * most, 1024));
    const found: number[] = [];
    for (let length: number; found.length <= most && (length = tryGetdents64(directory, entries)) > 0;) {
      for (let at = 0; at < length; at += entries[at + DIRENT.reclen]! | (entries[at + DIRENT.reclen + 1]! << 8)) {
        let number = 0;
        let i = at + DIRENT.name;
        for (; entries[i]! >= ZERO && entries[i]! <= NINE; i++) number = number * 10 + entries[i]! - ZERO;
        if (i > at + DIRENT.name && entries[i] === 0) found.push(number);
      }
    }
    return found;
  }

  /** The inode of the socket that entry `fd` of an open /proc/PID/fd refers to, 0 for none, or `-errno`. */
  socketInode(directory: Fd, fd: number): number {
    const link = this.#link;
    this.#path[this.#putNumber(0, fd)] = 0;
    const length = tryReadlinkat(directory, this.#path, link);
    if (length < 0) return length;
    if (length <= SOCKET_LINK || link[0] !== 0x73 /* s */ || link[7] !== 0x5b /* [ */) return 0;
    let inode = 0;
    for (let i = SOCKET_LINK; i < length - 1; i++) inode = inode * 10 + link[i]! - ZERO;
    return inode;
  }

  /** Writes a number into the path; returns where it ends. */
  #putNumber(at: number, number: number): number {
    let end = at + 1;
    for (let rest = number; rest >= 10; rest = Math.floor(rest / 10)) end++;
    for (let i = end - 1, rest = number; i >= at; i--, rest = Math.floor(rest / 10)) this.#path[i] = ZERO + (rest % 10);
    return end;
  }

  /** All processes but the kernel's own threads, which are half of them on a small host and never have descriptors. */
  processes(): number[] {
    const directory = openat(this.#proc, ".", O_DIRECTORY);
    const all = this.numbers(directory);
    directory.close();
    if (!all.includes(KTHREADD)) return all;
    const kernels = this.#kernelThreads();
    return all.filter((pid) => !kernels.has(pid));
  }

  /** Every process namespace has a process 1. */
  hides(): Hidden | undefined {
    if (!this.#isMissing(INIT)) return undefined;
    return this.#isMissing(SELF) ? "no proc" : "hidepid";
  }

  #isMissing(path: Uint8Array): boolean {
    const number = tryOpenat(this.#proc, path, O_DIRECTORY);
    if (number >= 0) new Fd(number).close();
    return number === -ENOENT;
  }

  /** The children of kthreadd; none where pid 2 is another (another pid namespace) or the kernel keeps no such list. */
  #kernelThreads(): ReadonlySet<number> {
    const stat = this.#text(KTHREADD_STAT);
    const flags = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[6]);
    return new Set(flags & PF_KTHREAD ? this.#text(KTHREADD_CHILDREN).split(" ").map(Number) : []);
  }

  /** A file below /proc, as far as the buffer holds it; empty where there is none. */
  #text(path: Uint8Array): string {
    const number = tryOpenat(this.#proc, path, O_RDONLY);
    if (number < 0) return "";
    using file = new Fd(number);
    return Buffer.from(this.#entries.buffer, 0, Math.max(0, tryRead(file, this.#entries))).toString("latin1");
  }

  [Symbol.dispose](): void {
    this.#proc.close();
  }
}
