/**
 * Which processes hold a socket: every descriptor in /proc that refers to its inode. There is no shorter way that finds
 * them all; what can be had cheaply is the order in which processes are asked, and when to stop.
 */
import {
  EACCES,
  ENOENT,
  EPERM,
  Fd,
  O_DIRECTORY,
  O_RDONLY,
  openat,
  sharesDescriptors,
  tryGetdents64,
  tryOpenat,
  tryRead,
  tryReadlinkat,
} from "../sys/index.ts";
import { cgroupProcesses } from "./cgroup.ts";
import { socketDescriptors } from "./task-files.ts";
import { processUid, userName } from "./users.ts";

/** A descriptor that refers to a socket. */
export interface Holder {
  pid: number;
  fd: number;
}

/** `hidepid`: /proc shows the processes of others to root alone; `no proc`: there is no /proc. */
export type Hidden = "hidepid" | "no proc";

export interface HolderSearch {
  /** Inode -> its holders, by pid and descriptor; an inode without any is absent. */
  holders: Map<number, Holder[]>;
  /** Processes whose descriptors may not be read: uid -> how many. They may hold sockets that nobody seems to. */
  unreadable: Map<number, number>;
  /** Why there may be processes that nobody sees; absent where all are seen, or nobody is missed. */
  hidden?: Hidden | undefined;
  /** How many processes were asked. */
  searched: number;
  /** How many of the inodes nobody seems to hold. */
  missing: number;
}

/** Where to look first. Both are the creator's, so they may be wrong: they order the search, they never end it. */
export interface HolderHints {
  cgroupIds?: ReadonlySet<bigint>;
  uids?: ReadonlySet<number>;
}

/** Asked now and then during a search: false calls it off. */
export type GoesOn = () => boolean;

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
class ProcReader {
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

/** A process can have a hundred thousand descriptors: after so many it is asked whether the search goes on. */
const DESCRIPTORS_AT_ONCE = 256;

class Search implements HolderSearch {
  readonly holders = new Map<number, Holder[]>();
  readonly unreadable = new Map<number, number>();
  hidden: Hidden | undefined;
  searched = 0;
  #isCalledOff = false;
  /** How many descriptors may be looked at from now on; below 0: there were more, and no holder was found among those. */
  left = Infinity;
  /** Of each process as many are looked at; who has more is in `cutShort`. */
  mostEach = Infinity;
  cutShort: number[] = [];

  constructor(
    private readonly reader: ProcReader,
    private readonly wanted: ReadonlySet<number>,
    private readonly mayGoOn: GoesOn = () => true,
  ) {}

  goesOn(): boolean {
    this.#isCalledOff ||= !this.mayGoOn();
    return !this.#isCalledOff;
  }

  add(inode: number, pid: number, fd: number): void {
    const holders = this.holders.get(inode);
    if (!holders) this.holders.set(inode, [{ pid, fd }]);
    else if (!holders.some((holder) => holder.pid === pid && holder.fd === fd)) holders.push({ pid, fd });
  }

  /** Looks through one descriptor directory. */
  #directory(directory: Fd, pid: number): "empty" | "read" | "unreadable" {
    // Standard input nearly always exists, and saves listing hundreds of links that can't be followed.
    if (this.reader.socketInode(directory, 0) === -EACCES) return "unreadable";
    const fds = this.reader.numbers(directory, Math.min(this.left, this.mostEach));
    this.left -= fds.length;
    if (this.left < 0) return "read";
    if (fds.length > this.mostEach) this.cutShort.push(pid);
    let looked = 0;
    for (const fd of fds) {
      if (++looked % DESCRIPTORS_AT_ONCE === 0 && !this.goesOn()) break;
      const inode = this.reader.socketInode(directory, fd);
      // Listing a directory and following its links are different permissions: root without CAP_SYS_PTRACE may do only
      // the first. What is true of one link is true of all.
      if (inode === -EACCES) return "unreadable";
      if (inode > 0 && this.wanted.has(inode)) this.add(inode, pid, fd);
    }
    return fds.length > 0 ? "read" : "empty";
  }

  #countUnreadable(pid: number, uid = processUid(pid)): void {
    if (uid !== undefined) this.unreadable.set(uid, (this.unreadable.get(uid) ?? 0) + 1);
  }

  process(pid: number): void {
    const directory = this.reader.descriptors(pid);
    if (typeof directory === "number") {
      // hidepid=1 answers EPERM (fs/proc/base.c, proc_pid_permission).
      if (directory === -EACCES || directory === -EPERM) this.#closed(pid);
      return; // or it has ended
    }
    this.searched++;
    const found = this.#directory(directory, pid);
    directory.close();
    if (found === "unreadable") this.#countUnreadable(pid);
    // The first thread may have ended while others live on: then its directory is empty and theirs are not.
    if (found === "empty") this.threads(pid);
  }

  /** A directory that may not even be listed: of another user, or one of our own processes whose first thread has ended. */
  #closed(pid: number): void {
    const uid = processUid(pid);
    // What is left of a process without memory belongs to root (fs/proc/base.c, task_dump_owner).
    if (uid === process.geteuid?.() && this.threads(pid)) return;
    this.#countUnreadable(pid, uid);
  }

  /** The threads of a process that do not share the descriptors of its first. False if none of them may be read. */
  threads(pid: number): boolean {
    const tasks = this.reader.tasks(pid);
    if (typeof tasks === "number") return false;
    using _ = tasks;
    let read = false;
    for (const tid of this.reader.numbers(tasks)) {
      if (tid === pid || sharesDescriptors(pid, tid)) continue;
      const directory = this.reader.descriptorsOfThread(pid, tid);
      if (typeof directory === "number") continue;
      using __ = directory;
      if (this.#directory(directory, pid) === "read") read = true;
    }
    return read;
  }

  get missing(): number {
    return this.wanted.size - this.holders.size;
  }

  get complete(): boolean {
    return this.missing === 0;
  }
}

/** The processes that may not be read, by their user. */
export function unreadableUsers({ unreadable }: HolderSearch): { uid: number; user: string; processes: number }[] {
  return [...unreadable].map(([uid, processes]) => ({ uid, user: userName(uid), processes }));
}

/** True where a process that may not be seen can have what nobody seems to have. */
export function mayBeHidden({ unreadable, hidden }: HolderSearch): boolean {
  return unreadable.size > 0 || hidden !== undefined;
}

/** True unless what is missing is most likely with the processes that may not be read: nearly all are, to their user. */
function mayExplain(search: Search): boolean {
  return !mayBeHidden(search) || process.geteuid?.() === 0;
}

/** From so many descriptors on the kernel's iterator, which takes time to begin, is faster than /proc. */
const MANY = 12_000;
/** After so many processes it is foreseen how many descriptors there will be. */
const SAMPLE = 64;

/** Every holder of each of these socket inodes. `many`: when to ask the kernel's iterator. */
export function findHolders(inodes: ReadonlySet<number>, many = MANY): HolderSearch {
  using reader = new ProcReader();
  let search = new Search(reader, inodes);
  if (inodes.size === 0) return search;
  const processes = reader.processes();
  search.left = many;
  for (const [i, pid] of processes.entries()) {
    if (search.left < 0 || (i === SAMPLE && ((many - search.left) / SAMPLE) * processes.length > many)) {
      search.left = -1;
      break;
    }
    search.process(pid);
  }
  if (search.left < 0) {
    search = new Search(reader, inodes);
    const descriptors = socketDescriptors(inodes);
    for (const { inode, pid, fd } of descriptors ?? []) search.add(inode, pid, fd);
    if (descriptors) {
      search.searched = processes.length;
      return search;
    }
    for (const pid of processes) search.process(pid);
  }
  if (!search.complete) search.hidden = reader.hides();
  // A thread can have a descriptor table of its own (unshare(CLONE_FILES)): looked for only where something is missing
  // that nothing else explains.
  if (!search.complete && mayExplain(search)) for (const pid of processes) search.threads(pid);
  return search;
}

const FIRST = 64;
const PID_MAX_LIMIT = 4 * 1024 * 1024; // include/linux/threads.h; pids are given in turn

/** One holder of each of these inodes: ends as soon as all have one, after a handful of processes if the hints are right. */
export function findAnyHolder(inodes: ReadonlySet<number>, hints: HolderHints, mayGoOn?: GoesOn): HolderSearch {
  using reader = new ProcReader();
  const search = new Search(reader, inodes, mayGoOn);
  const asked = new Set<number>();
  const ask = (pids: Iterable<number>, isLikely: (pid: number) => boolean = () => true) => {
    for (const pid of pids) {
      if (search.complete || !search.goesOn()) return;
      if (asked.has(pid) || !isLikely(pid)) continue;
      asked.add(pid);
      search.process(pid);
    }
  };
  if (inodes.size === 0) return search;
  // Who asks, then those that were started just before: what got in the way a moment ago is not as old as the host.
  const age = (pid: number) => (process.pid - pid + PID_MAX_LIMIT) % PID_MAX_LIMIT;
  const byAge = (a: number, b: number) => age(a) - age(b);
  // A listener is among the first descriptors of nearly every program.
  search.mostEach = FIRST;
  ask(cgroupProcesses(hints.cgroupIds ?? new Set()).sort(byAge));
  if (!search.complete) {
    const processes = reader.processes().sort(byAge);
    ask(processes, (pid) => hints.uids?.has(processUid(pid) ?? -1) ?? false);
    ask(processes);
  }
  search.mostEach = Infinity;
  asked.clear();
  ask(search.cutShort);
  return search;
}
