/** Hexadecimal text, spaced as one likes, as bytes. */
export function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replace(/\s/g, ""), "hex"));
}

/** `inner` in the middle of a larger buffer of `filler`: a decoder that reads outside it gives itself away. */
export function surrounded(inner: Uint8Array, filler: number): Uint8Array {
  const whole = new Uint8Array(inner.length + 128).fill(filler);
  whole.set(inner, 64);
  return whole.subarray(64, 64 + inner.length);
}
