/**
 * Capture files in the pcapng format (draft-ietf-opsawg-pcapng), which Wireshark and tcpdump read: a section header, a
 * block for each interface, a block for each packet. Little-endian sections of version 1.
 */
import { decoded, undecodable, type Decoded } from "./decoded.ts";

/** Raw IP: a packet begins with its IPv4 or IPv6 header (LINKTYPE_RAW). */
export const LINKTYPE_RAW = 101;

/** The codes of options. But for `comment` they mean something in one type of block only. */
export const PCAPNG_OPTION = {
  comment: 1,
  section: { hardware: 2, os: 3, application: 4 },
  interface: { name: 2, description: 3, timestampResolution: 9 },
  packet: { flags: 2 },
} as const;

export interface PcapngOption {
  code: number;
  value: Uint8Array;
}

export interface PcapngSection {
  kind: "section";
  options: PcapngOption[];
}

export interface PcapngInterface {
  kind: "interface";
  /** What packets begin with, for example {@link LINKTYPE_RAW}. */
  linkType: number;
  /** No more bytes of a packet are kept; 0 for no such limit. */
  snapLength: number;
  options: PcapngOption[];
}

export interface PcapngPacket {
  kind: "packet";
  /** The interface's place among those of its section: 0, 1, … */
  interface: number;
  /** Since 1970, in units of the interface's resolution: microseconds, unless an option says otherwise. 64 bits. */
  timestamp: bigint;
  /** The packet's length on the wire. */
  length: number;
  /** As much of it as was kept. */
  bytes: Uint8Array;
  options: PcapngOption[];
}

/** A block of any other type; its body is a multiple of 4 bytes long. */
export interface PcapngUnknown {
  kind: "unknown";
  type: number;
  body: Uint8Array;
}

export type PcapngBlock = PcapngSection | PcapngInterface | PcapngPacket | PcapngUnknown;

const SECTION = 0x0a0d0d0a;
const INTERFACE = 1;
const PACKET = 6;

const MAGIC = 0x1a2b3c4d;
const MAGIC_SWAPPED = 0x4d3c2b1a;
const VERSION = 1;

/** Type and length before a block's body, the length again after it. */
const HEADER = 8;
const TRAILER = 4;
/** How long the parts of fixed length are that stand before the options. */
const FIXED = { section: 16, interface: 8, packet: 20 };
const OPTION_HEADER = 4;
const OPTION_MAX = 0xffff;
const MICROSECONDS = 6; // 10^-6

const padded = (length: number) => Math.ceil(length / 4) * 4;

export function textOption(code: number, text: string): PcapngOption {
  return { code, value: new TextEncoder().encode(text) };
}

/** Of an interface: its timestamps count microseconds. */
export function microsecondsOption(): PcapngOption {
  return { code: PCAPNG_OPTION.interface.timestampResolution, value: Uint8Array.of(MICROSECONDS) };
}

/** Of a packet: whether the interface got it or sent it. */
export function directionOption(direction: "inbound" | "outbound"): PcapngOption {
  return { code: PCAPNG_OPTION.packet.flags, value: Uint8Array.of(direction === "inbound" ? 1 : 2, 0, 0, 0) };
}

/** A block without its body: the caller fills in `body`. */
function frameBlock(type: number, bodyLength: number): { bytes: Uint8Array; body: DataView } {
  const bytes = new Uint8Array(HEADER + bodyLength + TRAILER);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, bytes.length, true);
  view.setUint32(HEADER + bodyLength, bytes.length, true);
  return { bytes, body: new DataView(bytes.buffer, HEADER, bodyLength) };
}

/** What ends the options, opt_endofopt, is 4 bytes of zero; no options need no end. */
function optionsLength(options: readonly PcapngOption[]): number {
  if (options.length === 0) return 0;
  return options.reduce((sum, { value }) => sum + OPTION_HEADER + padded(value.length), OPTION_HEADER);
}

function writeOptions(body: DataView, at: number, options: readonly PcapngOption[]): void {
  let offset = at;
  for (const { code, value } of options) {
    if (value.length > OPTION_MAX) throw new RangeError(`a pcapng option has at most ${OPTION_MAX} bytes`);
    body.setUint16(offset, code, true);
    body.setUint16(offset + 2, value.length, true);
    new Uint8Array(body.buffer, body.byteOffset + offset + OPTION_HEADER).set(value);
    offset += OPTION_HEADER + padded(value.length);
  }
}

function encodeSection({ options }: PcapngSection): Uint8Array {
  const { bytes, body } = frameBlock(SECTION, FIXED.section + optionsLength(options));
  body.setUint32(0, MAGIC, true);
  body.setUint16(4, VERSION, true);
  body.setBigInt64(8, -1n, true); // the section's length: not given
  writeOptions(body, FIXED.section, options);
  return bytes;
}

function encodeInterface({ linkType, snapLength, options }: PcapngInterface): Uint8Array {
  const { bytes, body } = frameBlock(INTERFACE, FIXED.interface + optionsLength(options));
  body.setUint16(0, linkType, true);
  body.setUint32(4, snapLength, true);
  writeOptions(body, FIXED.interface, options);
  return bytes;
}

function encodeCapturedPacket(packet: PcapngPacket): Uint8Array {
  const data = padded(packet.bytes.length);
  const { bytes, body } = frameBlock(PACKET, FIXED.packet + data + optionsLength(packet.options));
  body.setUint32(0, packet.interface, true);
  body.setUint32(4, Number(BigInt.asUintN(32, packet.timestamp >> 32n)), true);
  body.setUint32(8, Number(BigInt.asUintN(32, packet.timestamp)), true);
  body.setUint32(12, packet.bytes.length, true);
  body.setUint32(16, packet.length, true);
  bytes.set(packet.bytes, HEADER + FIXED.packet);
  writeOptions(body, FIXED.packet + data, packet.options);
  return bytes;
}

function encodeUnknown({ type, body }: PcapngUnknown): Uint8Array {
  const { bytes } = frameBlock(type, padded(body.length));
  bytes.set(body, HEADER);
  return bytes;
}

function encodeBlock(block: PcapngBlock): Uint8Array {
  switch (block.kind) {
    case "section":
      return encodeSection(block);
    case "interface":
      return encodeInterface(block);
    case "packet":
      return encodeCapturedPacket(block);
    case "unknown":
      return encodeUnknown(block);
  }
}

/** The file's bytes; the first block must be a section. Throws a RangeError for an option of more than 65535 bytes. */
export function encodePcapng(blocks: readonly PcapngBlock[]): Uint8Array {
  const encoded = blocks.map(encodeBlock);
  const file = new Uint8Array(encoded.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of encoded) {
    file.set(block, at);
    at += block.length;
  }
  return file;
}

/** A block's body, and where in the file it stands. */
interface Body {
  view: DataView;
  bytes: Uint8Array;
  offset: number;
}

function decodeOptions({ view, bytes, offset }: Body, start: number): Decoded<PcapngOption[]> {
  const options: PcapngOption[] = [];
  for (let at = start; at < bytes.length;) {
    const code = view.getUint16(at, true);
    const length = view.getUint16(at + 2, true);
    const left = bytes.length - at - OPTION_HEADER;
    if (padded(length) > left) return undecodable("bad-length", "pcapng option", offset + at + 2, left, length);
    if (code === 0) break;
    at += OPTION_HEADER;
    options.push({ code, value: bytes.slice(at, at + length) });
    at += padded(length);
  }
  return decoded(options);
}

function decodeBlock(type: number, body: Body): Decoded<PcapngBlock> {
  const { view, bytes, offset } = body;
  const kind = ({ [SECTION]: "section", [INTERFACE]: "interface", [PACKET]: "packet" } as const)[type];
  if (kind === undefined) return decoded({ kind: "unknown", type, body: bytes.slice() });
  if (bytes.length < FIXED[kind]) {
    return undecodable("bad-length", `pcapng ${kind}`, offset - HEADER + 4, FIXED[kind], bytes.length);
  }
  const captured = kind === "packet" ? view.getUint32(12, true) : 0;
  const room = bytes.length - FIXED[kind];
  if (padded(captured) > room) return undecodable("bad-length", "pcapng packet", offset + 12, room, captured);
  if (kind === "section" && view.getUint16(4, true) !== VERSION) {
    return undecodable("bad-value", "pcapng version", offset + 4, VERSION, view.getUint16(4, true));
  }
  const options = decodeOptions(body, FIXED[kind] + padded(captured));
  if (!options.ok) return options;
  if (kind === "section") return decoded({ kind, options: options.value });
  if (kind === "interface") {
    const [linkType, snapLength] = [view.getUint16(0, true), view.getUint32(4, true)];
    return decoded({ kind, linkType, snapLength, options: options.value });
  }
  return decoded({
    kind,
    interface: view.getUint32(0, true),
    timestamp: (BigInt(view.getUint32(4, true)) << 32n) | BigInt(view.getUint32(8, true)),
    length: view.getUint32(16, true),
    bytes: bytes.slice(FIXED.packet, FIXED.packet + captured),
    options: options.value,
  });
}

/** Finds the block that begins at `at`, by the two lengths around its body. */
function frameOf(file: Uint8Array, at: number): Decoded<{ type: number; body: Body }> {
  const view = new DataView(file.buffer, file.byteOffset + at, file.length - at);
  const left = view.byteLength;
  if (left < HEADER + TRAILER) return undecodable("truncated", "pcapng", file.length, HEADER + TRAILER, left);
  const type = view.getUint32(0, true);
  if (at === 0 && type !== SECTION) return undecodable("bad-value", "pcapng", 0, SECTION, type);
  // The byte order of a section, and so of its length, is known by its magic only.
  const magic = view.getUint32(HEADER, true);
  if (type === SECTION && magic !== MAGIC) {
    const layer = magic === MAGIC_SWAPPED ? "pcapng section in big-endian order" : "pcapng section";
    return undecodable("bad-value", layer, at + HEADER, MAGIC, magic);
  }
  const length = view.getUint32(4, true);
  if (length < HEADER + TRAILER || length % 4 !== 0) {
    return undecodable("bad-length", "pcapng", at + 4, HEADER + TRAILER, length);
  }
  if (length > left) return undecodable("truncated", "pcapng", file.length, length, left);
  const again = view.getUint32(length - TRAILER, true);
  if (again !== length) return undecodable("bad-length", "pcapng", at + length - TRAILER, length, again);
  const bytes = file.subarray(at + HEADER, at + length - TRAILER);
  return decoded({
    type,
    body: { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), bytes, offset: at + HEADER },
  });
}

/** The blocks of a file. It must begin with a section, and all its sections must be little-endian. */
export function decodePcapng(file: Uint8Array): Decoded<PcapngBlock[]> {
  const blocks: PcapngBlock[] = [];
  for (let at = 0; at < file.length || blocks.length === 0;) {
    const frame = frameOf(file, at);
    if (!frame.ok) return frame;
    const block = decodeBlock(frame.value.type, frame.value.body);
    if (!block.ok) return block;
    blocks.push(block.value);
    at += HEADER + frame.value.body.bytes.length + TRAILER;
  }
  return decoded(blocks);
}
