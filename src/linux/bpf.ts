/** Programs of BPF: written instruction by instruction, and handed to the kernel by bpf(2). */
import { BTF_KIND_FUNC, encodeProgramTypes, type Structures } from "../codec/btf.ts";
import { addressOf, Fd, tryBpf } from "../sys/index.ts";

// include/uapi/linux/bpf.h
const BPF_PROG_LOAD = 5;
const BPF_PROG_TEST_RUN = 10;
const BPF_BTF_LOAD = 18;
const BPF_LINK_CREATE = 28;
const BPF_ITER_CREATE = 33;
const BPF_PROG_TYPE_TRACING = 26;
const BPF_PROG_TYPE_SYSCALL = 31;
const BPF_F_SLEEPABLE = 1 << 4;
const BPF_TRACE_ITER = 28;
const BPF_CORE_FIELD_BYTE_OFFSET = 0;
const BPF_FUNC_btf_find_by_name_kind = 167;
/** Fields of union bpf_attr. */
const LOAD = { type: 0, count: 4, instructions: 8, license: 16, flags: 44, attachType: 68, attachTo: 108, length: 144 };
const LOAD_TYPES = { fd: 72, functionLength: 76, functions: 80, functionCount: 88 };
const LOAD_RELOCATIONS = { count: 116, at: 128, length: 136 };
const RUN = { program: 0, result: 4, length: 72 };
const TYPES = { at: 0, size: 16, length: 28 };
const LINK = { program: 0, attachType: 8, length: 16 };
const ITER = { link: 0, length: 8 };
const FUNCTION_LENGTH = 8; // struct bpf_func_info: the first instruction, the type
const RELOCATION_LENGTH = 16; // struct bpf_core_relo: the instruction, the type, the way, what is asked

/** The kernel lets no other call its helpers. */
const LICENSE = new TextEncoder().encode("Dual MIT/GPL\0");
const INSTRUCTION_LENGTH = 8;
const LOADS = { 2: 0x69, 4: 0x61, 8: 0x79, pointer: 0x79 };

/** The register that points to the end of the frame; 1 to 5 are arguments and scratch, 6 to 9 outlive a call. */
export const FRAME = 10;

/** Instructions, by the numbers of Documentation/bpf/standardization/instruction-set.rst. */
export class Program {
  readonly #words: bigint[] = [];
  readonly #types;
  readonly #relocations: number[] = [];

  /** `structures`: the kernel's, as far as they are read with {@link loadMember}. */
  constructor(structures: Structures = {}) {
    this.#types = encodeProgramTypes(structures);
  }

  #put(code: number, to: number, from: number, offset: number, value: number): void {
    const low = BigInt(((offset & 0xffff) << 16) | (from << 12) | (to << 8) | code);
    this.#words.push((BigInt.asUintN(32, BigInt(value)) << 32n) | BigInt.asUintN(32, low));
  }

  load64 = (to: number, from: number, offset: number) => this.#put(0x79, to, from, offset, 0);
  load32 = (to: number, from: number, offset: number) => this.#put(0x61, to, from, offset, 0);
  store64 = (to: number, offset: number, from: number) => this.#put(0x7b, to, from, offset, 0);
  store32 = (to: number, offset: number, from: number) => this.#put(0x63, to, from, offset, 0);
  copy = (to: number, from: number) => this.#put(0xbf, to, from, 0, 0);
  set = (to: number, value: number) => this.#put(0xb7, to, 0, 0, value);
  add = (to: number, value: number) => this.#put(0x07, to, 0, 0, value);
  and = (to: number, value: number) => this.#put(0x57, to, 0, 0, value);
  call = (helper: number) => this.#put(0x85, 0, 0, 0, helper);
  exit = () => this.#put(0x95, 0, 0, 0, 0);

  /** `structure.member` of what a register points to: the kernel puts in where that is. */
  loadMember(to: number, from: number, member: string): void {
    const { type, way, offset, kind } = this.#types.members.get(member)!;
    this.#relocations.push(INSTRUCTION_LENGTH * this.#words.length, type, way, BPF_CORE_FIELD_BYTE_OFFSET);
    this.#put(LOADS[kind], to, from, offset, 0);
  }

  /** A constant of up to 53 bits: an instruction of two words. */
  setLong(to: number, value: number | bigint): void {
    const bits = BigInt(value);
    this.#put(0x18, to, 0, 0, Number(bits & 0xffffffffn));
    this.#put(0, 0, 0, 0, Number(bits >> 32n));
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

  /** Has the kernel check and take the program; undefined where it refuses. */
  load(fields: readonly Field[]): Fd | undefined {
    using types = tryDescriptor(BPF_BTF_LOAD, TYPES.length, [
      [TYPES.at, addressOf(this.#types.bytes)],
      [TYPES.size, this.#types.bytes.length],
    ]);
    if (!types) return undefined;
    const instructions = new Uint8Array(BigUint64Array.from(this.#words).buffer);
    const functions = new Uint8Array(Uint32Array.of(0, this.#types.functionType).buffer);
    const relocations = new Uint8Array(Uint32Array.from(this.#relocations).buffer);
    return tryDescriptor(BPF_PROG_LOAD, LOAD.length, [
      [LOAD.count, this.#words.length],
      [LOAD.instructions, addressOf(instructions)],
      [LOAD.license, addressOf(LICENSE)],
      [LOAD_TYPES.fd, types.number],
      [LOAD_TYPES.functionLength, FUNCTION_LENGTH],
      [LOAD_TYPES.functions, addressOf(functions)],
      [LOAD_TYPES.functionCount, 1],
      [LOAD_RELOCATIONS.count, relocations.length / RELOCATION_LENGTH],
      [LOAD_RELOCATIONS.at, addressOf(relocations)],
      [LOAD_RELOCATIONS.length, RELOCATION_LENGTH],
      ...fields,
    ]);
  }
}

type Field = readonly [offset: number, value: number | bigint];

/** `union bpf_attr` with these fields, by offset; an address takes 64 bits. */
function attributes(length: number, fields: readonly Field[]): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  for (const [at, value] of fields) {
    if (typeof value === "bigint") view.setBigUint64(at, value, true);
    else view.setUint32(at, value, true);
  }
  return bytes;
}

/** The result of bpf(2) as a descriptor; undefined where it is refused. */
function tryDescriptor(command: number, length: number, fields: readonly Field[]): Fd | undefined {
  const number = tryBpf(command, attributes(length, fields));
  return number < 0 ? undefined : new Fd(number);
}

/** The id of the type of a function of the kernel's: a program asks for it, since only programs may. */
function functionId(name: string): number | undefined {
  const text = new TextEncoder().encode(`${name}\0`);
  const words = new BigUint64Array(Math.ceil(text.length / 8));
  new Uint8Array(words.buffer).set(text);
  const code = new Program();
  for (const [i, word] of words.entries()) {
    code.setLong(1, word);
    code.store64(FRAME, 8 * (i - words.length), 1);
  }
  code.copy(1, FRAME);
  code.add(1, -words.byteLength);
  code.set(2, text.length);
  code.set(3, BTF_KIND_FUNC);
  code.set(4, 0);
  code.call(BPF_FUNC_btf_find_by_name_kind);
  code.exit();
  using loaded = code.load([
    [LOAD.type, BPF_PROG_TYPE_SYSCALL],
    [LOAD.flags, BPF_F_SLEEPABLE],
  ]);
  if (!loaded) return undefined;
  const run = attributes(RUN.length, [[RUN.program, loaded.number]]);
  if (tryBpf(BPF_PROG_TEST_RUN, run) < 0) return undefined;
  const id = new DataView(run.buffer).getInt32(RUN.result, true);
  return id > 0 ? id : undefined;
}

/** What an iterator of the kernel's writes with this program, ready to be read; undefined where the kernel refuses. */
export function openIterator(name: string, program: Program): Fd | undefined {
  const attachTo = functionId(`bpf_iter_${name}`);
  if (attachTo === undefined) return undefined;
  using loaded = program.load([
    [LOAD.type, BPF_PROG_TYPE_TRACING],
    [LOAD.attachType, BPF_TRACE_ITER],
    [LOAD.attachTo, attachTo],
  ]);
  if (!loaded) return undefined;
  using linked = tryDescriptor(BPF_LINK_CREATE, LINK.length, [
    [LINK.program, loaded.number],
    [LINK.attachType, BPF_TRACE_ITER],
  ]);
  return linked && tryDescriptor(BPF_ITER_CREATE, ITER.length, [[ITER.link, linked.number]]);
}
