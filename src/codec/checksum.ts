/** The Internet checksum, RFC 1071: the complement of the one's complement sum of 16-bit words, network order. */

/** Adds bytes to a running sum; an odd last byte counts as if a zero followed. */
export function sumWords(bytes: Uint8Array, start = 0): number {
  let sum = start;
  const even = bytes.length & ~1;
  for (let i = 0; i < even; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
  if (even < bytes.length) sum += bytes[even]! << 8;
  return sum;
}

/** The checksum of a sum: folded to 16 bits and complemented. */
export function foldChecksum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}
