import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodePcapng,
  directionOption,
  encodePcapng,
  LINKTYPE_RAW,
  microsecondsOption,
  PCAPNG_OPTION,
  textOption,
  type PcapngBlock,
} from "../../src/codec/pcapng.ts";
import { bytes, surrounded } from "../support/bytes.ts";

//                     type     length   magic    version   section's length
const SECTION = bytes(`0a0d0d0a 38000000 4d3c2b1a 0100 0000 ffffffffffffffff
                       0300 0500 4c696e7578 000000 0400 0700 6c61737461636b 00 00000000 38000000`);
const INTERFACE = bytes(`01000000 2c000000 6500 0000 00000000
                         0200 0600 636c69656e74 0000 0900 0100 06 000000 00000000 2c000000`);
//                    type     length   which    time              kept     of
const PACKET = bytes(`06000000 38000000 00000000 a1480600 15cd5b07 03000000 50000000 454647 00
                      0100 0200 6f6b 0000 0200 0400 02000000 00000000 38000000`);
const FILE = Uint8Array.of(...SECTION, ...INTERFACE, ...PACKET);

const BLOCKS: PcapngBlock[] = [
  {
    kind: "section",
    options: [textOption(PCAPNG_OPTION.section.os, "Linux"), textOption(PCAPNG_OPTION.section.application, "lastack")],
  },
  {
    kind: "interface",
    linkType: LINKTYPE_RAW,
    snapLength: 0,
    options: [textOption(PCAPNG_OPTION.interface.name, "client"), microsecondsOption()],
  },
  {
    kind: "packet",
    interface: 0,
    timestamp: 0x648a1_075bcd15n,
    length: 80,
    bytes: bytes("454647"),
    options: [textOption(PCAPNG_OPTION.comment, "ok"), directionOption("outbound")],
  },
];

/** The file with some of its bytes overwritten. */
function changed(at: number, hex: string): Uint8Array {
  const file = FILE.slice();
  file.set(bytes(hex), at);
  return file;
}

test("a section, an interface and a packet are laid out as in the draft", () => {
  expect(encodePcapng(BLOCKS)).toEqual(FILE);
  expect(decodePcapng(FILE)).toEqual({ ok: true, value: BLOCKS });
  expect(decodePcapng(surrounded(FILE, 0xa5))).toEqual({ ok: true, value: BLOCKS });
});

test("blocks of other types, and options of other codes, are kept", () => {
  const statistics = bytes("05000000 14000000 00000000 00000000 14000000");
  const options = [
    { code: 0x8bad, value: bytes("0102030405") },
    { code: 0x7fff, value: bytes("") },
  ];
  const section: PcapngBlock = { kind: "section", options };
  const file = encodePcapng([section]);
  expect(decodePcapng(Uint8Array.of(...file, ...statistics))).toEqual({
    ok: true,
    value: [section, { kind: "unknown", type: 5, body: bytes("0000000000000000") }],
  });
});

test("options may go without their end, and what follows the end says nothing", () => {
  const bare = bytes("0a0d0d0a 24000000 4d3c2b1a 0100 0000 ffffffffffffffff 0100 0200 6869 0000 24000000");
  const options = [{ code: PCAPNG_OPTION.comment, value: bytes("6869") }];
  expect(decodePcapng(bare)).toEqual({ ok: true, value: [{ kind: "section", options }] });
  const more = bytes("0a0d0d0a 24000000 4d3c2b1a 0100 0000 ffffffffffffffff 0000 0000 a5a5a5a5 24000000");
  expect(decodePcapng(more)).toEqual({ ok: true, value: [{ kind: "section", options: [] }] });
});

const u32 = fc.nat(0xffffffff);
const options = fc.array(
  fc.record({ code: fc.integer({ min: 1, max: 0xffff }), value: fc.uint8Array({ maxLength: 40 }) }),
  { maxLength: 4 },
);
const word = fc.uint8Array({ minLength: 4, maxLength: 4 });
const block: fc.Arbitrary<PcapngBlock> = fc.oneof(
  fc.record({ kind: fc.constant("section" as const), options }),
  fc.record({ kind: fc.constant("interface" as const), linkType: fc.nat(0xffff), snapLength: u32, options }),
  fc.record({
    kind: fc.constant("packet" as const),
    interface: u32,
    timestamp: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    length: u32,
    bytes: fc.uint8Array({ maxLength: 80 }),
    options,
  }),
  fc.record({
    kind: fc.constant("unknown" as const),
    type: fc.integer({ min: 7, max: 0x0a0d0d09 }),
    body: fc.array(word, { maxLength: 5 }).map((words) => Uint8Array.from(words.flatMap((each) => [...each]))),
  }),
);

test("files survive encoding and decoding", () => {
  fc.assert(
    fc.property(options, fc.array(block, { maxLength: 6 }), (first, rest) => {
      const blocks: PcapngBlock[] = [{ kind: "section", options: first }, ...rest];
      expect(decodePcapng(encodePcapng(blocks))).toEqual({ ok: true, value: blocks });
    }),
  );
});

test("an option that 16 bits can't measure is refused, not written wrong", () => {
  const value = new Uint8Array(0x10000);
  expect(() => encodePcapng([{ kind: "section", options: [{ code: 1, value }] }])).toThrow(RangeError);
  const longest = [{ code: 1, value: value.subarray(1) }];
  expect(decodePcapng(encodePcapng([{ kind: "section", options: longest }]))).toEqual({
    ok: true,
    value: [{ kind: "section", options: longest }],
  });
});

describe("what can't be a capture", () => {
  test("a file cut off anywhere but between blocks is called truncated", () => {
    for (let length = 0; length < FILE.length; length++) {
      const result = decodePcapng(FILE.subarray(0, length));
      if (length === SECTION.length) expect(result).toEqual({ ok: true, value: BLOCKS.slice(0, 1) });
      else if (length === SECTION.length + INTERFACE.length) expect(result).toMatchObject({ ok: true });
      else expect(result, String(length)).toMatchObject({ ok: false, error: { code: "truncated", offset: length } });
    }
  });

  test("a section in the other byte order is told from one that is none", () => {
    const big = bytes("0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c");
    expect(decodePcapng(big)).toMatchObject({
      ok: false,
      error: { code: "bad-value", layer: "pcapng section in big-endian order", offset: 8 },
    });
    expect(decodePcapng(changed(8, "00"))).toMatchObject({ error: { code: "bad-value", layer: "pcapng section" } });
    // The older format, libpcap's.
    expect(decodePcapng(bytes("d4c3b2a1 0200 0400 00000000 00000000"))).toMatchObject({
      error: { code: "bad-value", layer: "pcapng", offset: 0 },
    });
    expect(decodePcapng(changed(12, "0200"))).toMatchObject({
      error: { code: "bad-value", layer: "pcapng version", offset: 12, need: 1, have: 2 },
    });
  });

  test("impossible lengths are pointed at", () => {
    const packet = SECTION.length + INTERFACE.length;
    const cases: [name: string, file: Uint8Array, offset: number][] = [
      ["a block shorter than its own frame", changed(4, "08000000"), 4],
      ["a length that is no multiple of 4", changed(4, "39000000"), 4],
      ["two lengths that differ", changed(SECTION.length - 4, "3c000000"), SECTION.length - 4],
      ["an option longer than its block", changed(26, "ff00"), 26],
      ["more bytes captured than the block has", changed(packet + 20, "fdffffff"), packet + 20],
      ["a section too short for its version", bytes("0a0d0d0a 10000000 4d3c2b1a 10000000"), 4],
    ];
    for (const [name, file, offset] of cases) {
      expect(decodePcapng(file), name).toMatchObject({ ok: false, error: { code: "bad-length", offset } });
    }
  });
});
