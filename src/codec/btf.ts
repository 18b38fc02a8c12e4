/**
 * BTF, the kernel's description of its own types (Documentation/bpf/btf.rst): what has to be known before a program of BPF
 * can read a structure. Only what is asked for is looked up; a kernel has more than 100,000 types.
 */
import { decoded, undecodable, type Decoded } from "./decoded.ts";

const LAYER = "btf";
const MAGIC = 0xeb9f;
const HEADER = { magic: 0, length: 4, types: 8, typesLength: 12, strings: 16, stringsLength: 20 }; // struct btf_header
const HEADER_LENGTH = 24;
const TYPE_WORDS = 3; // struct btf_type: name, info, size or type

// include/uapi/linux/btf.h
const KIND = { struct: 4, union: 5, func: 12 };
/** The words behind a type of each kind: so many, and so many for each of its parts. */
const EXTRA: readonly (readonly [once: number, each: number])[] = [
  [0, 0], // void
  [1, 0], // integer
  [0, 0], // pointer
  [3, 0], // array
  [0, 3], // struct
  [0, 3], // union
  [0, 2], // enum
  [0, 0], // forward declaration
  [0, 0], // typedef
  [0, 0], // volatile
  [0, 0], // const
  [0, 0], // restrict
  [0, 0], // function
  [0, 2], // prototype
  [1, 0], // variable
  [0, 3], // section
  [0, 0], // float
  [1, 0], // declaration tag
  [0, 0], // type tag
  [0, 3], // enum of 64 bits
];

export interface BtfFound {
  /** The id of the function's type; undefined: there is none of that name. */
  functionId: number | undefined;
  /** `file.f_inode` -> its offset in bytes, as far as there is such a member. */
  offsets: Map<string, number>;
}

/** Looks up a function, and members of structures by `structure.member`. */
export function lookUpBtf(bytes: Uint8Array, functionName: string, members: readonly string[]): Decoded<BtfFound> {
  if (bytes.length < HEADER_LENGTH) return undecodable("truncated", LAYER, 0, HEADER_LENGTH, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const magic = view.getUint16(HEADER.magic, true);
  if (magic !== MAGIC) return undecodable("bad-value", LAYER, HEADER.magic, MAGIC, magic);
  const field = (at: number) => view.getUint32(at, true);
  const start = field(HEADER.length);
  const [types, strings] = [start + field(HEADER.types), start + field(HEADER.strings)];
  const [typesEnd, stringsEnd] = [types + field(HEADER.typesLength), strings + field(HEADER.stringsLength)];
  const need = Math.max(typesEnd, stringsEnd);
  if (need > bytes.length) return undecodable("truncated", LAYER, HEADER.length, need, bytes.length);

  // A name is stored once (libbpf and pahole see to that), and known by where it is.
  const nameAt = stringFinder(bytes.subarray(strings, stringsEnd));
  const wanted = new Map<number, Map<number, string>>();
  for (const member of members) {
    const [struct = "", name = ""] = member.split(".");
    const at = nameAt(struct);
    wanted.set(at, (wanted.get(at) ?? new Map<number, string>()).set(nameAt(name), member));
  }
  const functionAt = nameAt(functionName);

  const aligned = new Uint8Array(bytes.subarray(types, typesEnd)); // a copy
  const words = new Uint32Array(aligned.buffer, 0, aligned.length >> 2);
  const found: BtfFound = { functionId: undefined, offsets: new Map() };
  const isComplete = () => found.functionId !== undefined && found.offsets.size === members.length;
  for (let at = 0, id = 1; at < words.length && !isComplete(); id++) {
    if (at + TYPE_WORDS > words.length)
      return undecodable("truncated", LAYER, types + 4 * at, 12, typesEnd - types - 4 * at);
    const info = words[at + 1]!;
    const kind = (info >>> 24) & 0x1f;
    const parts = info & 0xffff;
    const extra = EXTRA[kind];
    if (!extra) return undecodable("bad-value", LAYER, types + 4 * at, EXTRA.length, kind);
    if (kind === KIND.func && words[at] === functionAt) found.functionId ??= id;
    if (kind === KIND.struct && wanted.has(words[at]!)) {
      const names = wanted.get(words[at]!)!;
      for (let part = at + TYPE_WORDS; part < at + TYPE_WORDS + 3 * parts && part + 2 < words.length; part += 3) {
        const member = names.get(words[part]!);
        // With the flag an offset has 24 bits, and a bit field's width is above them.
        const bits = info >>> 31 ? words[part + 2]! & 0xffffff : words[part + 2]!;
        if (member !== undefined && !found.offsets.has(member)) found.offsets.set(member, bits >>> 3);
      }
    }
    at += TYPE_WORDS + extra[0] + extra[1] * parts;
  }
  return decoded(found);
}

/** Where a name begins among strings that end with NUL, -1 where it is not. Names of C are ASCII. */
function stringFinder(strings: Uint8Array): (name: string) => number {
  const text = new TextDecoder().decode(strings);
  return (name) => {
    const at = text.indexOf(`\0${name}\0`);
    return at < 0 ? -1 : at + 1;
  };
}
