/**
 * BTF (Documentation/bpf/btf.rst), as far as a program of BPF describes with it what it knows of the kernel's structures: names
 * of members and their sizes. Where they are the kernel knows, and puts in ("CO-RE", kernel/bpf/relo_core.c).
 */
const MAGIC = 0xeb9f;
const VERSION = 1;
const HEADER_LENGTH = 24; // struct btf_header

// include/uapi/linux/btf.h
export const BTF_KIND_FUNC = 12;
const [INT, POINTER, STRUCT, FUNC_PROTO] = [1, 2, 4, 13];
const VOID = 0;
/** Each member has so many bytes here: none is longer. */
const SLOT = 8;

/** A member: an integer of so many bytes, or a pointer. */
export type MemberKind = 2 | 4 | 8 | "pointer";
export type Structures = Readonly<Record<string, Readonly<Record<string, MemberKind>>>>;

export interface MemberPlace {
  /** The id of the structure's type. */
  type: number;
  /** Where the way to the member is among the strings, `0:1`: the second of the structure that is pointed to. */
  way: number;
  /** Its offset in bytes, here, not in the kernel. */
  offset: number;
  kind: MemberKind;
}

export interface ProgramTypes {
  bytes: Uint8Array;
  /** The id of the type of the program itself, a function. */
  functionType: number;
  /** By `structure.member`. */
  members: ReadonlyMap<string, MemberPlace>;
}

/** The types of a program that reads these members. */
export function encodeProgramTypes(structures: Structures): ProgramTypes {
  const words: number[] = [];
  let strings = "\0";
  let types = 0;
  const text = (string: string) => {
    const at = strings.length;
    strings += `${string}\0`;
    return at;
  };
  /** A type: its name, kind, number of parts, size or type, and the words of its parts. Returns its id. */
  const type = (name: number, kind: number, parts: number, sizeOrType: number, ...more: readonly number[]) => {
    words.push(name, (kind << 24) | parts, sizeOrType, ...more);
    return ++types;
  };

  const integer = (size: number) => type(text(`u${8 * size}`), INT, 0, size, 8 * size);
  const ids = new Map<MemberKind, number>([
    [2, integer(2)],
    [4, integer(4)],
    [8, integer(8)],
    ["pointer", type(0, POINTER, 0, VOID)],
  ]);
  const members = new Map<string, MemberPlace>();
  for (const [structure, kinds] of Object.entries(structures)) {
    const entries = Object.entries(kinds);
    const parts = entries.flatMap(([name, kind], i) => [text(name), ids.get(kind)!, 8 * SLOT * i]);
    const id = type(text(structure), STRUCT, entries.length, SLOT * entries.length, ...parts);
    for (const [i, [name, kind]] of entries.entries()) {
      members.set(`${structure}.${name}`, { type: id, way: text(`0:${i}`), offset: SLOT * i, kind });
    }
  }
  const prototype = type(0, FUNC_PROTO, 1, ids.get(4)!, text("context"), ids.get("pointer")!);
  const functionType = type(text("program"), BTF_KIND_FUNC, 0, prototype);

  const typesLength = 4 * words.length;
  const bytes = new Uint8Array(HEADER_LENGTH + typesLength + strings.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, MAGIC, true);
  view.setUint8(2, VERSION);
  const header = [HEADER_LENGTH, 0, typesLength, typesLength, strings.length];
  for (const [i, word] of [...header, ...words].entries()) view.setUint32(4 + 4 * i, word, true);
  bytes.set(new TextEncoder().encode(strings), HEADER_LENGTH + typesLength);
  return { bytes, functionType, members };
}
