const LATIN1 = new TextDecoder("latin1");
const DIGITS = new TextEncoder().encode("0123456789abcdef");

/** Bytes as lower-case hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  // At once: a text that grows digit by digit takes many times the memory.
  const digits = new Uint8Array(2 * bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    digits[2 * i] = DIGITS[bytes[i]! >> 4]!;
    digits[2 * i + 1] = DIGITS[bytes[i]! & 0xf]!;
  }
  return LATIN1.decode(digits);
}

/** The bytes of hexadecimal digits, or undefined where the text is something else. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) return undefined;
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}
