/**
 * Who holds sockets, asked of the kernel in one go: a program of BPF that an iterator over all descriptors of all threads
 * runs (kernel/bpf/task_iter.c). /proc takes 3 us for each descriptor, this 0.4; but it takes 2 ms to begin, root's privileges
 * (CAP_BPF, CAP_PERFMON), and a kernel that describes its types and puts in what a program reads of them (since 5.17).
 */
import { fstatSync } from "node:fs";
import { AF_UNIX, EAGAIN, SOCK_STREAM, socket, SyscallError, tryRead, type Fd } from "../sys/index.ts";
import { FRAME, openIterator, Program } from "./bpf.ts";
import { readLink } from "./read.ts";

/** A descriptor of a process that is a socket. */
export interface SocketDescriptor {
  pid: number;
  fd: number;
  inode: number;
}

/** What is read of the kernel's structures. */
const STRUCTURES = {
  task_struct: { tgid: 4 },
  file: { f_inode: "pointer", f_mode: 4 },
  inode: { i_mode: 2, i_ino: 8 },
} as const;
const BPF_FUNC_seq_write = 127; // include/uapi/linux/bpf.h
const FMODE_PATH = 1 << 14; // include/linux/fs.h
const [S_IFMT, S_IFSOCK] = [0o170000, 0o140000]; // include/uapi/linux/stat.h
/** What the program gets (kernel/bpf/task_iter.c, struct bpf_iter__task_file); each field takes 8 bytes. */
const CONTEXT = { meta: 0, task: 8, fd: 16, file: 24 };
const META_SEQ = 0; // include/linux/bpf.h, struct bpf_iter_meta
/** What it writes for each descriptor, below its frame pointer. */
const RECORD = { pid: 0, fd: 4, inode: 8, length: 16 };

/** The inode of the pid namespace that all others are in (include/linux/proc_ns.h, PROC_PID_INIT_INO). */
const FIRST_PID_NAMESPACE = "pid:[4026531836]";

/** Registers that outlive a call. */
const [TASK, FILE, INODE, CONTEXT_AT] = [6, 7, 8, 9] as const;

/** Writes a {@link RECORD} for each descriptor that is one of these sockets: those between two inodes, and one more. */
function program(least: number, greatest: number, also: number): Program {
  const code = new Program(STRUCTURES);
  const leave: (() => void)[] = [];
  code.copy(CONTEXT_AT, 1);
  code.load64(TASK, CONTEXT_AT, CONTEXT.task);
  leave.push(code.ifIs(TASK, 0)); // the call that ends the walk
  code.load64(FILE, CONTEXT_AT, CONTEXT.file);
  leave.push(code.ifIs(FILE, 0));
  code.loadMember(INODE, FILE, "file.f_inode");
  // What is opened as a mere path (O_PATH) may be a socket's name in a file system, with a number of its own there.
  code.loadMember(1, INODE, "inode.i_mode");
  code.and(1, S_IFMT);
  leave.push(code.ifIsNot(1, S_IFSOCK));
  code.loadMember(1, FILE, "file.f_mode");
  code.and(1, FMODE_PATH);
  leave.push(code.ifIsNot(1, 0));
  code.loadMember(INODE, INODE, "inode.i_ino");
  code.setLong(1, also);
  const write = code.ifEqual(INODE, 1);
  code.setLong(1, least);
  leave.push(code.ifLess(INODE, 1));
  code.setLong(1, greatest);
  leave.push(code.ifLess(1, INODE));
  write();
  code.store64(FRAME, RECORD.inode - RECORD.length, INODE);
  code.loadMember(1, TASK, "task_struct.tgid");
  code.store32(FRAME, RECORD.pid - RECORD.length, 1);
  code.load32(1, CONTEXT_AT, CONTEXT.fd);
  code.store32(FRAME, RECORD.fd - RECORD.length, 1);
  code.load64(1, CONTEXT_AT, CONTEXT.meta);
  code.load64(1, 1, META_SEQ);
  code.copy(2, FRAME);
  code.add(2, -RECORD.length);
  code.set(3, RECORD.length);
  code.call(BPF_FUNC_seq_write);
  for (const arrive of leave) arrive();
  code.set(0, 0);
  code.exit();
  return code;
}

/** The iterator writes whole records, as many as there is room for. */
function* records(iterator: Fd): Generator<SocketDescriptor> {
  const words = new Uint32Array(64 * 1024);
  const bytes = new Uint8Array(words.buffer);
  for (;;) {
    const length = tryRead(iterator, bytes);
    if (length === -EAGAIN) continue; // it has passed a million descriptors without finding one (kernel/bpf/bpf_iter.c)
    if (length < 0) throw new SyscallError("read", -length);
    if (length === 0) return;
    for (let at = 0; at < length >> 2; at += RECORD.length >> 2) {
      yield { pid: words[at]!, fd: words[at + 1]!, inode: words[at + 2]! + words[at + 3]! * 2 ** 32 };
    }
  }
}

/**
 * Every descriptor of every process that is one of these sockets, or any socket; undefined where that can't be had in this
 * way. One of our own is looked for along with them: unless it is found as it is, nothing else is believed.
 */
export function socketDescriptors(inodes?: ReadonlySet<number>): SocketDescriptor[] | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  try {
    if (readLink("/proc/self/ns/pid") !== FIRST_PID_NAMESPACE) return undefined; // the kernel's pids are the first's
    using own = socket(AF_UNIX, SOCK_STREAM, 0);
    const also = fstatSync(own.number).ino;
    let [least, greatest] = inodes ? [Number.MAX_SAFE_INTEGER, 0] : [0, Number.MAX_SAFE_INTEGER];
    for (const inode of inodes ?? []) [least, greatest] = [Math.min(least, inode), Math.max(greatest, inode)];
    using iterator = openIterator("task_file", program(least, greatest, also));
    if (!iterator) return undefined;
    const found: SocketDescriptor[] = [];
    let isTrue = false;
    for (const descriptor of records(iterator)) {
      if (descriptor.inode === also) isTrue = descriptor.pid === process.pid && descriptor.fd === own.number;
      else if (!inodes || inodes.has(descriptor.inode)) found.push(descriptor);
    }
    return isTrue ? found : undefined;
  } catch {
    return undefined; // no such file, or not for us
  }
}
