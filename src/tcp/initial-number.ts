/** Initial sequence numbers as RFC 6528 has them: ISN = M + F(local, remote, key), where M ticks every 4 microseconds. */
import { seq, type Seq } from "../codec/seq.ts";

const MASK = 0xffff_ffff_ffff_ffffn;

function rotate(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & MASK;
}

type Lanes = [bigint, bigint, bigint, bigint];

function round([a, b, c, d]: Lanes): Lanes {
  let v0 = (a + b) & MASK;
  let v1 = rotate(b, 13n) ^ v0;
  let v2 = (c + d) & MASK;
  let v3 = rotate(d, 16n) ^ v2;
  v0 = (rotate(v0, 32n) + v3) & MASK;
  v3 = rotate(v3, 21n) ^ v0;
  v2 = (v2 + v1) & MASK;
  v1 = rotate(v1, 17n) ^ v2;
  return [v0, v1, rotate(v2, 32n), v3];
}

function word(bytes: Uint8Array, at: number, length: number): bigint {
  let value = 0n;
  for (let i = 0; i < length; i++) value |= BigInt(bytes[at + i]!) << BigInt(8 * i);
  return value;
}

/** SipHash-2-4 (Aumasson and Bernstein, 2012) of the bytes under a key of 16. */
export function sipHash(key: Uint8Array, bytes: Uint8Array): bigint {
  const [k0, k1] = [word(key, 0, 8), word(key, 8, 8)];
  let lanes: Lanes = [
    k0 ^ 0x736f_6d65_7073_6575n,
    k1 ^ 0x646f_7261_6e64_6f6dn,
    k0 ^ 0x6c79_6765_6e65_7261n,
    k1 ^ 0x7465_6462_7974_6573n,
  ];
  const mix = (value: bigint) => {
    lanes[3] ^= value;
    lanes = round(round(lanes));
    lanes[0] ^= value;
  };
  const whole = bytes.length & ~7;
  for (let at = 0; at < whole; at += 8) mix(word(bytes, at, 8));
  mix(word(bytes, whole, bytes.length - whole) | (BigInt(bytes.length & 0xff) << 56n));
  lanes[2] ^= 0xffn;
  for (let i = 0; i < 4; i++) lanes = round(lanes);
  return lanes[0] ^ lanes[1] ^ lanes[2] ^ lanes[3];
}

export interface Ends {
  localAddress: Uint8Array;
  localPort: number;
  remoteAddress: Uint8Array;
  remotePort: number;
}

/** F, which RFC 6528 section 3 leaves to the implementation but for its being hard to guess without the key. */
export function initialNumber(key: Uint8Array, ends: Ends, nowUs: number, tickUs = 4): Seq {
  const ports = [ends.localPort >> 8, ends.localPort & 0xff, ends.remotePort >> 8, ends.remotePort & 0xff];
  const bytes = Uint8Array.from([...ends.localAddress, ...ends.remoteAddress, ...ports]);
  return seq(Number(sipHash(key, bytes) & 0xffff_ffffn) + (Math.floor(nowUs / tickUs) % 2 ** 32));
}
