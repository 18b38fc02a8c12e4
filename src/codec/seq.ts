/**
 * Sequence numbers of TCP: 32 bits that wrap, so they have no order of their own. They are compared by the sign of their
 * distance (RFC 9293 section 3.4), never with `<`.
 */
export type Seq = number & { readonly brand: unique symbol };

/** Any integer, modulo 2^32. */
export function seq(value: number): Seq {
  return (value >>> 0) as Seq;
}

export function seqAdd(from: Seq, count: number): Seq {
  return seq(from + count);
}

/** How far `to` is ahead of `from`: -2^31 to 2^31 - 1. */
export function seqDiff(to: Seq, from: Seq): number {
  return (to - from) | 0;
}

export function seqLt(one: Seq, other: Seq): boolean {
  return seqDiff(one, other) < 0;
}

export function seqLe(one: Seq, other: Seq): boolean {
  return seqDiff(one, other) <= 0;
}
