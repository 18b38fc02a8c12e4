/**
 * Who holds sockets, asked of the kernel in one go: a program of BPF that an iterator over all descriptors of all threads
 * runs (kernel/bpf/task_iter.c). /proc takes 4 us for each descriptor, this half of one; but it takes 30 ms to begin, root's
 * privileges (CAP_BPF, CAP_PERFMON) and a kernel that describes its types, so it is for hosts with very many descriptors.
 */
import { fstatSync, readFileSync, readlinkSync } from "node:fs";
import { lookUpBtf, type BtfFound } from "../codec/btf.ts";
import { addressOf, AF_UNIX, EAGAIN, Fd, SOCK_STREAM, socket, SyscallError, tryBpf, tryRead } from "../sys/index.ts";

/** A descriptor of a process that is a socket. */
export interface SocketDescriptor {
  pid: number;
  fd: number;
  inode: number;
}

// include/uapi/linux/bpf.h
const BPF_PROG_LOAD = 5;
const BPF_LINK_CREATE = 28;
const BPF_ITER_CREATE = 33;
const BPF_PROG_TYPE_TRACING = 26;
const BPF_TRACE_ITER = 28;
const BPF_FUNC_seq_write = 127;
/** Fields of union bpf_attr. */
const LOAD = { type: 0, count: 4, instructions: 8, license: 16, attachType: 68, attachTo: 108, length: 112 };
const LINK = { program: 0, attachType: 8, length: 16 };
const ITER = { link: 0, length: 8 };

const ITERATOR = "bpf_iter_task_file";
const MEMBERS = ["task_struct.tgid", "file.f_inode", "file.f_mode", "inode.i_mode", "inode.i_ino"] as const;
const FMODE_PATH = 1 << 14; // include/linux/fs.h
const [S_IFMT, S_IFSOCK] = [0o170000, 0o140000]; // include/uapi/linux/stat.h
/** The kernel lets no other call its helpers. */
const LICENSE = new TextEncoder().encode("Dual MIT/GPL\0");
/** What the program gets (kernel/bpf/task_iter.c, struct bpf_iter__task_file); each field takes 8 bytes. */
const CONTEXT = { meta: 0, task: 8, fd: 16, file: 24 };
const META_SEQ = 0; // include/linux/bpf.h, struct bpf_iter_meta
/** What it writes for each descriptor, below its frame pointer. */
const RECORD = { pid: 0, fd: 4, inode: 8, length: 16 };

/** The inode of the pid namespace that all others are in (include/linux/proc_ns.h, PROC_PID_INIT_INO). */
const FIRST_PID_NAMESPACE = "pid:[4026531836]";

/** Instructions, by the numbers of Documentation/bpf/standardization/instruction-set.rst. */
class Program {
  readonly #words: bigint[] = [];

  #put(code: number, to: number, from: number, offset: number, value: number): void {
    const low = BigInt(((offset & 0xffff) << 16) | (from << 12) | (to << 8) | code);
    this.#words.push((BigInt.asUintN(32, BigInt(value)) << 32n) | BigInt.asUintN(32, low));
  }

  load64 = (to: number, from: number, offset: number) => this.#put(0x79, to, from, offset, 0);
  load32 = (to: number, from: number, offset: number) => this.#put(0x61, to, from, offset, 0);
  load16 = (to: number, from: number, offset: number) => this.#put(0x69, to, from, offset, 0);
  store64 = (to: number, offset: number, from: number) => this.#put(0x7b, to, from, offset, 0);
  store32 = (to: number, offset: number, from: number) => this.#put(0x63, to, from, offset, 0);
  copy = (to: number, from: number) => this.#put(0xbf, to, from, 0, 0);
  set = (to: number, value: number) => this.#put(0xb7, to, 0, 0, value);
  add = (to: number, value: number) => this.#put(0x07, to, 0, 0, value);
  and = (to: number, value: number) => this.#put(0x57, to, 0, 0, value);
  call = (helper: number) => this.#put(0x85, 0, 0, 0, helper);
  exit = () => this.#put(0x95, 0, 0, 0, 0);

  /** A constant of up to 53 bits: an instruction of two words. */
  setLong(to: number, value: number): void {
    this.#put(0x18, to, 0, 0, value % 2 ** 32);
    this.#put(0, 0, 0, 0, Math.floor(value / 2 ** 32));
  }

  /** A jump forward; what is returned says later where to. */
  #jump(code: number, register: number, other: number, value: number): () => void {
    const at = this.#words.length;
    this.#put(code, register, other, 0, value);
    return () => void (this.#words[at]! |= BigInt(this.#words.length - at - 1) << 16n);
  }
  ifEqual = (register: number, other: number) => this.#jump(0x1d, register, other, 0);
  ifLess = (register: number, than: number) => this.#jump(0xad, register, than, 0);
  ifIs = (register: number, value: number) => this.#jump(0x15, register, 0, value);
  ifIsNot = (register: number, value: number) => this.#jump(0x55, register, 0, value);

  encode(): Uint8Array {
    return new Uint8Array(BigUint64Array.from(this.#words).buffer);
  }
}

/** Which inodes to tell: those between two, and one more. */
interface Inodes {
  least: number;
  greatest: number;
  also: number;
}

/** Registers: 1 to 5 are arguments and scratch, 6 to 9 outlive a call, 10 is the frame. */
const [TASK, FILE, INODE, CONTEXT_AT, FRAME] = [6, 7, 8, 9, 10] as const;

/** Writes a {@link RECORD} for each descriptor that is one of these sockets. */
function program(offsets: ReadonlyMap<string, number>, { least, greatest, also }: Inodes): Uint8Array {
  const offset = (member: (typeof MEMBERS)[number]) => offsets.get(member)!;
  const code = new Program();
  const leave: (() => void)[] = [];
  code.copy(CONTEXT_AT, 1);
  code.load64(TASK, CONTEXT_AT, CONTEXT.task);
  leave.push(code.ifIs(TASK, 0)); // the call that ends the walk
  code.load64(FILE, CONTEXT_AT, CONTEXT.file);
  leave.push(code.ifIs(FILE, 0));
  code.load64(INODE, FILE, offset("file.f_inode"));
  // What is opened as a mere path (O_PATH) may be a socket's name in a file system, with a number of its own there.
  code.load16(1, INODE, offset("inode.i_mode"));
  code.and(1, S_IFMT);
  leave.push(code.ifIsNot(1, S_IFSOCK));
  code.load32(1, FILE, offset("file.f_mode"));
  code.and(1, FMODE_PATH);
  leave.push(code.ifIsNot(1, 0));
  code.load64(INODE, INODE, offset("inode.i_ino"));
  code.setLong(1, also);
  const write = code.ifEqual(INODE, 1);
  code.setLong(1, least);
  leave.push(code.ifLess(INODE, 1));
  code.setLong(1, greatest);
  leave.push(code.ifLess(1, INODE));
  write();
  code.store64(FRAME, RECORD.inode - RECORD.length, INODE);
  code.load32(1, TASK, offset("task_struct.tgid"));
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
  return code.encode();
}

/** `union bpf_attr` with these fields, by offset; an address takes 64 bits. */
function attributes(
  length: number,
  fields: readonly (readonly [offset: number, value: number | bigint])[],
): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  for (const [at, value] of fields) {
    if (typeof value === "bigint") view.setBigUint64(at, value, true);
    else view.setUint32(at, value, true);
  }
  return bytes;
}

/** The result of bpf(2) as a descriptor; undefined where it is refused. */
function tryDescriptor(command: number, attributes: Uint8Array): Fd | undefined {
  const number = tryBpf(command, attributes);
  return number < 0 ? undefined : new Fd(number);
}

/** The iterator's output, ready to be read; undefined where the kernel refuses. */
function openIterator(instructions: Uint8Array, functionId: number): Fd | undefined {
  const load = attributes(LOAD.length, [
    [LOAD.type, BPF_PROG_TYPE_TRACING],
    [LOAD.count, instructions.length / 8],
    [LOAD.instructions, addressOf(instructions)],
    [LOAD.license, addressOf(LICENSE)],
    [LOAD.attachType, BPF_TRACE_ITER],
    [LOAD.attachTo, functionId],
  ]);
  using loaded = tryDescriptor(BPF_PROG_LOAD, load);
  if (!loaded) return undefined;
  const link = attributes(LINK.length, [
    [LINK.program, loaded.number],
    [LINK.attachType, BPF_TRACE_ITER],
  ]);
  using linked = tryDescriptor(BPF_LINK_CREATE, link);
  return linked && tryDescriptor(BPF_ITER_CREATE, attributes(ITER.length, [[ITER.link, linked.number]]));
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

function typesOfKernel(): BtfFound | undefined {
  const found = lookUpBtf(readFileSync("/sys/kernel/btf/vmlinux"), ITERATOR, MEMBERS);
  return found.ok ? found.value : undefined;
}

/**
 * Every descriptor of every process that is one of these sockets; undefined where that can't be had in this way. One of
 * our own is looked for along with them: unless it is found as it is, nothing else is believed.
 */
export function socketDescriptors(inodes: ReadonlySet<number>): SocketDescriptor[] | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  try {
    if (readlinkSync("/proc/self/ns/pid") !== FIRST_PID_NAMESPACE) return undefined; // the kernel's pids are the first's
    const types = typesOfKernel();
    if (types?.functionId === undefined || MEMBERS.some((member) => !types.offsets.has(member))) return undefined;
    using own = socket(AF_UNIX, SOCK_STREAM, 0);
    const also = fstatSync(own.number).ino;
    let [least, greatest] = [Infinity, 0];
    for (const inode of inodes) [least, greatest] = [Math.min(least, inode), Math.max(greatest, inode)];
    using iterator = openIterator(program(types.offsets, { least, greatest, also }), types.functionId);
    if (!iterator) return undefined;
    const found: SocketDescriptor[] = [];
    let isTrue = false;
    for (const descriptor of records(iterator)) {
      if (inodes.has(descriptor.inode)) found.push(descriptor);
      else if (descriptor.inode === also) isTrue = descriptor.pid === process.pid && descriptor.fd === own.number;
    }
    return isTrue ? found : undefined;
  } catch {
    return undefined; // no such file, or not for us
  }
}
