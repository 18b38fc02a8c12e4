import { describe, expect, test } from "vitest";
import { encodeProgramTypes } from "../../src/codec/btf.ts";

/** Types as bpftool shows them, of those kinds that a program's description has (Documentation/bpf/btf.rst). */
function dump(bytes: Uint8Array): { types: string[]; text: (at: number) => string } {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [length, typesAt, typesLength, stringsAt, stringsLength] = [4, 8, 12, 16, 20].map((at) =>
    view.getUint32(at, true),
  ) as [number, number, number, number, number];
  expect([view.getUint16(0, true), view.getUint8(2), length]).toEqual([0xeb9f, 1, 24]);
  expect(length + stringsAt + stringsLength).toBe(bytes.length);
  const strings = new TextDecoder().decode(bytes.subarray(length + stringsAt));
  expect([strings[0], strings.at(-1)]).toEqual(["\0", "\0"]);
  const text = (at: number) => strings.slice(at, strings.indexOf("\0", at));
  const types: string[] = [];
  const words = [...new Uint32Array(bytes.slice(length + typesAt, length + typesAt + typesLength).buffer)];
  const word = () => words.shift()!;
  while (words.length > 0) {
    const [name, info, sizeOrType] = [text(word()), word(), word()];
    const parts = info & 0xffff;
    const kind = info >>> 24;
    const more = () => Array.from({ length: parts }, () => `${text(word())}:${word()}`);
    if (kind === 1) types.push(`INT ${name} size=${sizeOrType} bits=${word()}`);
    else if (kind === 2) types.push(`PTR ${sizeOrType}`);
    else if (kind === 4) {
      const members = Array.from({ length: parts }, () => `${text(word())}:${word()}@${word() / 8}`);
      types.push(`STRUCT ${name} size=${sizeOrType} ${members.join(" ")}`);
    } else if (kind === 13) types.push(`FUNC_PROTO ${sizeOrType} ${more().join(" ")}`);
    else if (kind === 12) types.push(`FUNC ${name} ${sizeOrType}`);
    else throw new Error(`kind ${kind}`);
  }
  return { types, text };
}

describe("encodeProgramTypes", () => {
  test("describes the structures, their members, and the program as a function", () => {
    const { bytes, functionType, members } = encodeProgramTypes({ file: { f_inode: "pointer", f_mode: 4 } });
    const { types, text } = dump(bytes);
    expect(types).toEqual([
      "INT u16 size=2 bits=16",
      "INT u32 size=4 bits=32",
      "INT u64 size=8 bits=64",
      "PTR 0",
      "STRUCT file size=16 f_inode:4@0 f_mode:2@8",
      "FUNC_PROTO 2 context:4",
      "FUNC program 6",
    ]);
    expect(functionType).toBe(7);
    expect([...members].map(([name, { way, ...place }]) => [name, text(way), place])).toEqual([
      ["file.f_inode", "0:0", { type: 5, offset: 0, kind: "pointer" }],
      ["file.f_mode", "0:1", { type: 5, offset: 8, kind: 4 }],
    ]);
  });

  test("a program that reads nothing has no structures", () => {
    expect(dump(encodeProgramTypes({}).bytes).types.at(-1)).toBe("FUNC program 5");
  });
});
