/**
 * Writers of text. Each writes at `at` and returns where the next byte goes; the caller has seen to the room, which
 * must be a few bytes more than the text: some write in words.
 */
import { MAPPED_PREFIX_TEXT, TEXT_LENGTH, TEXT_SLOT, TEXTS } from "../layout";

const ZERO: u8 = 0x30;
const COLON: u8 = 0x3a;
const DOT: u8 = 0x2e;
const FOUR_SPACES: u64 = 0x20202020;
const SPACES: u64 = (FOUR_SPACES << 32) | FOUR_SPACES;

/** The character that makes 10 an `a`. */
const HEX_LETTERS: u8 = 0x57;

export function putByte(at: usize, byte: u8): usize {
  store<u8>(at, byte);
  return at + 1;
}

/** Spaces up to, not including, `end`. */
export function padTo(at: usize, end: usize): usize {
  if (at >= end) return at;
  for (; at < end; at += 8) store<u64>(at, SPACES);
  return end;
}

export function textLength(slot: u32): u32 {
  return load<u8>(TEXTS + slot * TEXT_SLOT + TEXT_LENGTH);
}

/** One of the fixed texts. */
export function putText(at: usize, slot: u32): usize {
  const text: usize = TEXTS + slot * TEXT_SLOT;
  store<u64>(at, load<u64>(text));
  store<u64>(at + 8, load<u64>(text + 8));
  return at + textLength(slot);
}

/** `length` bytes; `text` must be readable up to the next multiple of eight. */
export function putBytes(at: usize, text: usize, length: u32): usize {
  for (let i: u32 = 0; i < length; i += 8) store<u64>(at + i, load<u64>(text + i));
  return at + length;
}

export function countDigits(value: u32): u32 {
  let digits: u32 = 1;
  for (; value >= 10; value /= 10) digits++;
  return digits;
}

export function putDigits(at: usize, value: u32, digits: u32): usize {
  for (let i: usize = at + digits; i > at;) {
    const rest = value / 10;
    store<u8>(--i, <u8>(ZERO + (value - rest * 10)));
    value = rest;
  }
  return at + digits;
}

export function putDecimal(at: usize, value: u32): usize {
  return putDigits(at, value, countDigits(value));
}

function putOctet(at: usize, octet: u32): usize {
  if (octet >= 100) at = putByte(at, <u8>(ZERO + octet / 100));
  if (octet >= 10) at = putByte(at, <u8>(ZERO + ((octet / 10) % 10)));
  return putByte(at, <u8>(ZERO + (octet % 10)));
}

export function putIpv4(at: usize, address: usize): usize {
  at = putByte(putOctet(at, load<u8>(address)), DOT);
  at = putByte(putOctet(at, load<u8>(address + 1)), DOT);
  at = putByte(putOctet(at, load<u8>(address + 2)), DOT);
  return putOctet(at, load<u8>(address + 3));
}

function putHex(at: usize, word: u32): usize {
  let shift: i32 = word >= 0x1000 ? 12 : word >= 0x100 ? 8 : word >= 0x10 ? 4 : 0;
  for (; shift >= 0; shift -= 4) {
    const digit = (word >> shift) & 15;
    store<u8>(at++, <u8>((digit < 10 ? ZERO : HEX_LETTERS) + digit));
  }
  return at;
}

export function isUnspecified(address: usize): bool {
  return (load<u64>(address) | load<u64>(address + 8)) == 0;
}

/** True for `::ffff:a.b.c.d`, an IPv4 address in an IPv6 socket (RFC 4291 section 2.5.5.2). */
export function isV4Mapped(address: usize): bool {
  return load<u64>(address) == 0 && load<u32>(address + 8) == 0xffff0000;
}

/** A word of an IPv6 address, which is in network order. */
function wordAt(address: usize, index: u32): u32 {
  return bswap<u16>(load<u16>(address + index * 2));
}

/** The longest run of two or more zero words, the first of equals: its first word, and its length times 16. 8: none. */
function longestZeros(address: usize): u32 {
  let start: u32 = 8;
  let length: u32 = 1;
  let run: u32 = 0;
  for (let i: u32 = 0; i < 8; i++) {
    run = wordAt(address, i) == 0 ? run + 1 : 0;
    if (run > length) {
      length = run;
      start = i + 1 - run;
    }
  }
  return start + length * 16;
}

/** RFC 5952: the longest run of zero words becomes `::`. */
export function putIpv6(at: usize, address: usize): usize {
  if (isV4Mapped(address)) return putIpv4(putText(at, MAPPED_PREFIX_TEXT), address + 12);
  const zeros = longestZeros(address);
  const start = zeros & 15;
  const end = start + (zeros >>> 4);
  for (let i: u32 = 0; i < 8; i++) {
    if (i == start) {
      at = putByte(putByte(at, COLON), COLON);
      i = end - 1;
      continue;
    }
    if (i > 0 && i != end) at = putByte(at, COLON);
    at = putHex(at, wordAt(address, i));
  }
  return at;
}
