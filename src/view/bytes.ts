/**
 * Text written as bytes, without strings in between: a table of 125,000 rows is 15 MB of them. Each function writes at
 * `at` and returns where the next byte goes; the caller sees to the room.
 */
const ZERO = 0x30;
const COLON = 0x3a;
export const SPACE = 0x20;
export const NEWLINE = 0x0a;

/** ASCII, or UTF-8 where there is more. */
export function asBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function putBytes(out: Uint8Array, at: number, text: Uint8Array): number {
  const length = text.length;
  for (let i = 0; i < length; i++) out[at + i] = text[i]!;
  return at + length;
}

/** A non-negative integer below 2^32, decimal. */
export function putDecimal(out: Uint8Array, at: number, value: number): number {
  if (value < 10) {
    out[at] = ZERO + value;
    return at + 1;
  }
  let digits = 2;
  for (let limit = 100; value >= limit; limit *= 10) digits++;
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    const next = Math.floor(rest / 10);
    out[i] = ZERO + (rest - next * 10);
    rest = next;
  }
  return at + digits;
}

/** Spaces up to, not including, `end`. */
export function padTo(out: Uint8Array, at: number, end: number): number {
  while (at < end) out[at++] = SPACE;
  return at;
}

// The decimal text of each byte: three characters and how many of them count.
const OCTETS = new Uint8Array(256 * 4);
for (let value = 0; value < 256; value++) {
  OCTETS[value * 4 + 3] = putDecimal(OCTETS, value * 4, value) - value * 4;
}

export function putIpv4(out: Uint8Array, at: number, bytes: Uint8Array, from: number): number {
  for (let i = 0; i < 4; i++) {
    if (i > 0) out[at++] = 0x2e;
    const octet = bytes[from + i]! * 4;
    // Three at once: what is too many is overwritten by what follows.
    out[at] = OCTETS[octet]!;
    out[at + 1] = OCTETS[octet + 1]!;
    out[at + 2] = OCTETS[octet + 2]!;
    at += OCTETS[octet + 3]!;
  }
  return at;
}

function hexDigit(value: number): number {
  return value < 10 ? ZERO + value : 0x57 + value;
}

function putHex(out: Uint8Array, at: number, word: number): number {
  if (word >= 0x1000) out[at++] = hexDigit(word >> 12);
  if (word >= 0x100) out[at++] = hexDigit((word >> 8) & 15);
  if (word >= 0x10) out[at++] = hexDigit((word >> 4) & 15);
  out[at++] = hexDigit(word & 15);
  return at;
}

const MAPPED_PREFIX = asBytes("::ffff:");

export function isMapped(bytes: Uint8Array, from: number): boolean {
  if (bytes[from + 10] !== 255 || bytes[from + 11] !== 255) return false;
  for (let i = 0; i < 10; i++) if (bytes[from + i] !== 0) return false;
  return true;
}

/** RFC 5952: the longest run of two or more zero words, the first of equals, becomes `::`. */
export function putIpv6(out: Uint8Array, at: number, bytes: Uint8Array, from: number): number {
  if (isMapped(bytes, from)) return putIpv4(out, putBytes(out, at, MAPPED_PREFIX), bytes, from + 12);
  let start = -1;
  let length = 1;
  let run = 0;
  for (let i = 0; i < 8; i++) {
    run = bytes[from + 2 * i] === 0 && bytes[from + 2 * i + 1] === 0 ? run + 1 : 0;
    if (run > length) {
      length = run;
      start = i - run + 1;
    }
  }
  for (let i = 0; i < 8; i++) {
    if (i === start) {
      out[at++] = COLON;
      out[at++] = COLON;
      i += length - 1;
      continue;
    }
    if (i > 0 && i !== start + length) out[at++] = COLON;
    at = putHex(out, at, (bytes[from + 2 * i]! << 8) | bytes[from + 2 * i + 1]!);
  }
  return at;
}
