/** TCP segments (RFC 9293 section 3.1) with their options. What no endpoint may send can be written down all the same. */
import { decoded, undecodable, type Decoded } from "./decoded.ts";
import { seq, type Seq } from "./seq.ts";

/** Offsets in bytes; all integers are in network order. */
export const TCP = {
  sourcePort: 0,
  destinationPort: 2,
  seq: 4,
  ack: 8,
  dataOffset: 12,
  flags: 13,
  window: 14,
  checksum: 16,
  urgent: 18,
};
export const TCP_LENGTH = 20;
const OPTIONS_MAX = 40;

/** The flags by bit, lowest first. */
export const TCP_FLAGS = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"] as const;
export type TcpFlag = (typeof TCP_FLAGS)[number];

export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;

export function flagBits(flags: readonly TcpFlag[]): number {
  return flags.reduce((bits, flag) => bits | (1 << TCP_FLAGS.indexOf(flag)), 0);
}

export function flagNames(bits: number): TcpFlag[] {
  return TCP_FLAGS.filter((_, i) => bits & (1 << i));
}

export type TcpOption =
  | { kind: "nop" }
  | { kind: "mss"; value: number }
  | { kind: "windowScale"; shift: number }
  | { kind: "sackPermitted" }
  | { kind: "sack"; blocks: [Seq, Seq][] }
  /** RFC 7323; both count in units of the sender of each. */
  | { kind: "timestamps"; value: number; echo: number }
  /** Any other kind, or one of the above with a length that it can't have. */
  | { kind: "unknown"; number: number; data: Uint8Array };

export interface TcpSegment {
  sourcePort: number;
  destinationPort: number;
  seq: Seq;
  ack: Seq;
  /** Bits, see {@link TCP_FLAGS}. */
  flags: number;
  /** As in the header: not scaled. */
  window: number;
  urgent: number;
  options: TcpOption[];
  payload: Uint8Array;
}

const END = 0;
const NOP = 1;

function decodeOption(number: number, data: Uint8Array): TcpOption {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (number === 2 && data.length === 2) return { kind: "mss", value: view.getUint16(0) };
  if (number === 3 && data.length === 1) return { kind: "windowScale", shift: data[0]! };
  if (number === 4 && data.length === 0) return { kind: "sackPermitted" };
  if (number === 5 && data.length % 8 === 0 && data.length > 0) {
    const word = (i: number) => seq(view.getUint32(4 * i));
    return { kind: "sack", blocks: Array.from({ length: data.length / 8 }, (_, i) => [word(2 * i), word(2 * i + 1)]) };
  }
  if (number === 8 && data.length === 8) {
    return { kind: "timestamps", value: view.getUint32(0), echo: view.getUint32(4) };
  }
  return { kind: "unknown", number, data: data.slice() };
}

function decodeOptions(bytes: Uint8Array): Decoded<TcpOption[]> {
  const options: TcpOption[] = [];
  for (let at = 0; at < bytes.length;) {
    const number = bytes[at]!;
    if (number === END) break;
    if (number === NOP) {
      options.push({ kind: "nop" });
      at++;
      continue;
    }
    const left = bytes.length - at;
    if (left < 2) return undecodable("truncated", "tcp option", TCP_LENGTH + at, 2, left);
    const length = bytes[at + 1]!;
    if (length < 2) return undecodable("bad-length", "tcp option", TCP_LENGTH + at + 1, 2, length);
    if (length > left) return undecodable("truncated", "tcp option", TCP_LENGTH + at, length, left);
    options.push(decodeOption(number, bytes.subarray(at + 2, at + length)));
    at += length;
  }
  return decoded(options);
}

/** Decodes what an IP packet carries. `payload` is a view into the input. */
export function decodeTcp(bytes: Uint8Array): Decoded<TcpSegment> {
  if (bytes.length < TCP_LENGTH) return undecodable("truncated", "tcp", bytes.length, TCP_LENGTH, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = 4 * (bytes[TCP.dataOffset]! >> 4);
  if (headerLength < TCP_LENGTH) return undecodable("bad-length", "tcp", TCP.dataOffset, TCP_LENGTH, headerLength);
  if (headerLength > bytes.length) return undecodable("truncated", "tcp", bytes.length, headerLength, bytes.length);
  const options = decodeOptions(bytes.subarray(TCP_LENGTH, headerLength));
  if (!options.ok) return options;
  return decoded({
    sourcePort: view.getUint16(TCP.sourcePort),
    destinationPort: view.getUint16(TCP.destinationPort),
    seq: seq(view.getUint32(TCP.seq)),
    ack: seq(view.getUint32(TCP.ack)),
    flags: bytes[TCP.flags]!,
    window: view.getUint16(TCP.window),
    urgent: view.getUint16(TCP.urgent),
    options: options.value,
    payload: bytes.subarray(headerLength),
  });
}

function encodeOption(option: TcpOption): number[] {
  const u16 = (value: number) => [(value >>> 8) & 0xff, value & 0xff];
  const u32 = (value: number) => [...u16(value >>> 16), ...u16(value)];
  switch (option.kind) {
    case "nop":
      return [NOP];
    case "mss":
      return [2, 4, ...u16(option.value)];
    case "windowScale":
      return [3, 3, option.shift];
    case "sackPermitted":
      return [4, 2];
    case "sack":
      return [5, 2 + 8 * option.blocks.length, ...option.blocks.flat().flatMap(u32)];
    case "timestamps":
      return [8, 10, ...u32(option.value), ...u32(option.echo)];
    case "unknown":
      return [option.number, 2 + option.data.length, ...option.data];
  }
}

/**
 * The segment's bytes; options are padded to a multiple of 4, the checksum is 0 (see packet.ts). Throws a RangeError for
 * more than 40 bytes of options: the header's length can't say so.
 */
export function encodeTcp(segment: TcpSegment): Uint8Array {
  const options = segment.options.flatMap(encodeOption);
  if (options.length > OPTIONS_MAX) throw new RangeError(`TCP has room for ${OPTIONS_MAX} bytes of options`);
  const headerLength = (TCP_LENGTH + options.length + 3) & ~3;
  const bytes = new Uint8Array(headerLength + segment.payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(TCP.sourcePort, segment.sourcePort);
  view.setUint16(TCP.destinationPort, segment.destinationPort);
  view.setUint32(TCP.seq, segment.seq);
  view.setUint32(TCP.ack, segment.ack);
  bytes[TCP.dataOffset] = (headerLength >> 2) << 4;
  bytes[TCP.flags] = segment.flags;
  view.setUint16(TCP.window, segment.window);
  view.setUint16(TCP.urgent, segment.urgent);
  bytes.set(options, TCP_LENGTH);
  bytes.set(segment.payload, headerLength);
  return bytes;
}

/** How much of the sequence space the segment takes: its data, and one each for SYN and FIN. */
export function sequenceLength(segment: Pick<TcpSegment, "flags" | "payload">): number {
  return segment.payload.length + (segment.flags & SYN ? 1 : 0) + (segment.flags & FIN ? 1 : 0);
}
