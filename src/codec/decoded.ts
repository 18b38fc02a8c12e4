/** What is wrong with bytes that could not be decoded. Codes are listed in docs/errors.md. */
export interface DecodeError {
  code: "truncated" | "bad-length" | "bad-value" | "bad-text";
  /** The format that was being read, for example `nlmsg`. */
  layer: string;
  /** Where in the input, in bytes. */
  offset: number;
  /** How many bytes (or which value) were expected there … */
  need: number;
  /** … and how many there were. */
  have: number;
}

/** The result of decoding untrusted bytes: never a throw. */
export type Decoded<T> = { ok: true; value: T } | { ok: false; error: DecodeError };

export function decoded<T>(value: T): Decoded<T> {
  return { ok: true, value };
}

export function undecodable(
  code: DecodeError["code"],
  layer: string,
  offset: number,
  need: number,
  have: number,
): { ok: false; error: DecodeError } {
  return { ok: false, error: { code, layer, offset, need, have } };
}

/** The error as a sentence, for messages. */
export function describeDecodeError({ code, layer, offset, need, have }: DecodeError): string {
  return `${layer}: ${code} at byte ${offset}: expected ${need}, found ${have}`;
}
