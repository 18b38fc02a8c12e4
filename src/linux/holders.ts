/**
 * Which processes hold a socket: every descriptor in /proc that refers to its inode. There is no shorter way that finds
 * them all; what can be had cheaply is the order in which processes are asked, and when to stop.
 */
import { EACCES, EPERM, sharesDescriptors, type Fd } from "../sys/index.ts";
import { cgroupProcesses } from "./cgroup.ts";
import { isCrowded } from "./crowd.ts";
import { ProcReader, type Hidden } from "./proc-reader.ts";
import { socketDescriptors, type SocketDescriptor } from "./task-files.ts";
import { processUid, userName } from "./users.ts";

/** A descriptor that refers to a socket. */
export interface Holder {
  pid: number;
  fd: number;
}

export interface HolderSearch {
  /** Inode -> its holders, by pid and descriptor; an inode without any is absent. */
  holders: Map<number, Holder[]>;
  /** Processes whose descriptors may not be read: uid -> how many. They may hold sockets that nobody seems to. */
  unreadable: Map<number, number>;
  /** Why there may be processes that nobody sees; absent where all are seen, or nobody is missed. */
  hidden?: Hidden | undefined;
  /** How many processes were asked; none where the kernel's iterator was. */
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

/** From so many descriptors on the kernel's iterator is faster than /proc: it takes 2 ms to begin. */
const MANY = 1000;

/** Adds what the kernel's iterator finds. False where it can't be asked. */
function askIterator(search: Search, inodes: ReadonlySet<number>): boolean {
  const descriptors = socketDescriptors(inodes);
  for (const { inode, pid, fd } of descriptors ?? []) search.add(inode, pid, fd);
  return descriptors !== undefined;
}

/**
 * Every holder of each of these inodes, as far as they are among the descriptors that were found before; what is missing
 * then is looked for anew, since it may be younger.
 */
export function findHoldersAmong(descriptors: readonly SocketDescriptor[], inodes: ReadonlySet<number>): HolderSearch {
  using reader = new ProcReader();
  const search = new Search(reader, inodes);
  for (const { inode, pid, fd } of descriptors) if (inodes.has(inode)) search.add(inode, pid, fd);
  return search.complete ? search : findHolders(inodes);
}

/** Every holder of each of these socket inodes. `many`: from how many descriptors on the kernel's iterator is asked. */
export function findHolders(inodes: ReadonlySet<number>, many = MANY): HolderSearch {
  using reader = new ProcReader();
  let search = new Search(reader, inodes);
  if (inodes.size === 0) return search;
  const first = many === 0 || (many < Infinity && isCrowded());
  if (first && askIterator(search, inodes)) return search;
  search.left = first ? Infinity : many;
  const processes = reader.processes();
  for (const pid of processes) {
    search.process(pid);
    if (search.left >= 0) continue;
    search = new Search(reader, inodes);
    if (askIterator(search, inodes)) return search;
    for (const every of processes) search.process(every);
    break;
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
