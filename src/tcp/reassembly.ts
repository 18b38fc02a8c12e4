/** Bytes that came ahead of their turn, and byte ranges in general. */
import { seqAdd, seqDiff, seqLe, seqLt, type Seq } from "../codec/seq.ts";

export interface Piece {
  readonly seq: Seq;
  readonly bytes: Uint8Array;
}

function endOf(piece: Piece): Seq {
  return seqAdd(piece.seq, piece.bytes.length);
}

/** The pieces with another put in; where they overlap, what was there stays. */
export function insertPiece(pieces: readonly Piece[], added: Piece): readonly Piece[] {
  const result: Piece[] = [];
  let { seq, bytes } = added;
  const put = (upTo: Seq) => {
    const count = Math.min(bytes.length, seqDiff(upTo, seq));
    if (count <= 0) return;
    result.push({ seq, bytes: bytes.subarray(0, count) });
    bytes = bytes.subarray(count);
    seq = seqAdd(seq, count);
  };
  for (const piece of pieces) {
    put(piece.seq);
    result.push(piece);
    const covered = Math.min(bytes.length, Math.max(0, seqDiff(endOf(piece), seq)));
    if (seqLe(piece.seq, seq)) {
      bytes = bytes.subarray(covered);
      seq = seqAdd(seq, covered);
    }
  }
  put(seqAdd(seq, bytes.length));
  return result;
}

/** What of the pieces follows `next` without a gap, and the others. */
export function takeInOrder(pieces: readonly Piece[], next: Seq): { ready: Uint8Array[]; rest: readonly Piece[] } {
  const ready: Uint8Array[] = [];
  let at = next;
  let taken = 0;
  for (const piece of pieces) {
    if (seqLt(at, piece.seq)) break;
    const fresh = piece.bytes.subarray(Math.min(piece.bytes.length, seqDiff(at, piece.seq)));
    if (fresh.length > 0) ready.push(fresh);
    at = seqAdd(at, fresh.length);
    taken++;
  }
  return { ready, rest: pieces.slice(taken) };
}

/** `length` bytes of a queue, from `offset`. A view where they lie in one piece. */
export function sliceQueue(queue: readonly Uint8Array[], offset: number, length: number): Uint8Array {
  let skip = offset;
  let at = 0;
  let result: Uint8Array | undefined;
  for (const bytes of queue) {
    if (skip >= bytes.length) {
      skip -= bytes.length;
      continue;
    }
    const part = bytes.subarray(skip, skip + length - at);
    skip = 0;
    if (at === 0 && part.length === length) return part;
    result ??= new Uint8Array(length);
    result.set(part, at);
    at += part.length;
    if (at === length) break;
  }
  return result ?? new Uint8Array();
}

/** The queue without its first `count` bytes. */
export function dropFromQueue(queue: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let left = count;
  let whole = 0;
  while (whole < queue.length && queue[whole]!.length <= left) left -= queue[whole++]!.length;
  const rest = queue.slice(whole);
  if (left > 0) rest[0] = rest[0]!.subarray(left);
  return rest;
}
