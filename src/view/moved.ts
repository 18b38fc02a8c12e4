/** The relative numbers of a segment that the wire modified: as far from those it had as its absolute ones are. */
import { seq, seqDiff } from "../codec/seq.ts";
import type { RelativeNumbers } from "../codec/numbering.ts";
import type { SegmentRecord } from "../trace/trace.ts";

export function movedNumbers(now: SegmentRecord, was: SegmentRecord, relative: RelativeNumbers): RelativeNumbers {
  const { ack, ...numbers } = relative;
  const moved = { ...numbers, seq: relative.seq + seqDiff(seq(now.seq), seq(was.seq)) };
  if (!now.flags.includes("ACK")) return moved;
  return { ...moved, ack: ack === undefined ? now.ack : ack + seqDiff(seq(now.ack), seq(was.ack)) };
}
