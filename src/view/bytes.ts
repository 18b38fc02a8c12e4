/**
 * Text written as bytes, without strings in between: a table of 125,000 rows is 15 MB of them. Each function writes at
 * `at` and returns where the next byte goes; the caller sees to the room.
 */
const ZERO = 0x30;
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
