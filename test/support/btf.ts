/** BTF (Documentation/bpf/btf.rst) with one type of each kind, written by hand. */

const STRINGS = ["", "int", "file", "f_mode", "f_inode", "iterate", "choice"];

export function smallBtf(): Uint8Array {
  const nameAt = (name: string) =>
    STRINGS.slice(0, STRINGS.indexOf(name)).reduce((sum, text) => sum + text.length + 1, 0);
  const words: number[] = [];
  /** A type: its name, kind, parts, size or type, and what follows. */
  const type = (name: string, kind: number, parts: number, size: number, ...more: number[]) =>
    words.push(nameAt(name), (kind << 24) | parts, size, ...more);
  type("int", 1, 0, 4, 32);
  type("", 2, 0, 1); // pointer
  type("", 3, 0, 0, 1, 1, 8); // array
  type("choice", 5, 1, 4, nameAt("f_mode"), 1, 64); // union
  type("", 6, 2, 4, nameAt("int"), 0, nameAt("file"), 1); // enum
  type("file", 7, 0, 0); // forward declaration
  type("int", 8, 0, 1); // typedef
  type("", 9, 0, 1); // volatile
  type("", 10, 0, 1); // const
  type("", 11, 0, 1); // restrict
  type("", 13, 1, 1, nameAt("file"), 1); // prototype
  type("file", 14, 0, 1, 1); // variable
  type("", 15, 1, 4, 12, 0, 4); // section
  type("int", 16, 0, 8); // float
  type("int", 17, 0, 1, 0xffffffff); // declaration tag
  type("int", 18, 0, 1); // type tag
  type("", 19, 1, 8, nameAt("int"), 5, 0); // enum of 64 bits
  // Its first member is a bit field: then offsets have 24 bits, and widths are above them.
  type("file", 4, 2, 40, nameAt("f_mode"), 1, (3 << 24) | 32, nameAt("f_inode"), 2, 256);
  words[words.length - 8]! |= 1 << 31;
  type("int", 1, 0, 4, 32);
  type("iterate", 12, 1, 11); // function
  type("iterate", 14, 0, 1, 1);

  const strings = new TextEncoder().encode(STRINGS.map((text) => `${text}\0`).join(""));
  const bytes = new Uint8Array(24 + 4 * words.length + strings.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xeb9f, true);
  view.setUint8(2, 1);
  [24, 0, 4 * words.length, 4 * words.length, strings.length].forEach((value, i) =>
    view.setUint32(4 + 4 * i, value, true),
  );
  words.forEach((word, i) => view.setUint32(24 + 4 * i, word, true));
  bytes.set(strings, 24 + 4 * words.length);
  return bytes;
}
