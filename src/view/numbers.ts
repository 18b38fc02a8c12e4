/** Relative numbers of packets as they then were: the wire may modify them. */
import { seq, seqDiff } from "../codec/seq.ts";
import type { RelativeNumbers } from "../codec/numbering.ts";
import { relativeNumbers } from "../trace/relative.ts";
import type { SegmentRecord, TraceEvent } from "../trace/trace.ts";

/** As far from those it had as its absolute ones are. */
function moved(now: SegmentRecord, was: SegmentRecord, relative: RelativeNumbers): RelativeNumbers {
  const { ack, ...numbers } = relative;
  const next = { ...numbers, seq: relative.seq + seqDiff(seq(now.seq), seq(was.seq)) };
  if (!now.flags.includes("ACK")) return next;
  return { ...next, ack: ack === undefined ? now.ack : ack + seqDiff(seq(now.ack), seq(was.ack)) };
}

/** The relative numbers of the packet of every event that has one, by the event's number. */
export function packetNumbers(events: readonly TraceEvent[]): Map<number, RelativeNumbers> {
  const sent = relativeNumbers(events);
  const numbers = new Map<number, RelativeNumbers>();
  /** By `segment/copy`. */
  const latest = new Map<string, { packet: SegmentRecord; relative: RelativeNumbers }>();
  for (const event of events) {
    if (event.kind !== "segment" || !event.packet) continue;
    const { n, fate, segment, copy = 1, packet } = event;
    const was = latest.get(`${segment}/${copy}`) ?? latest.get(`${segment}/1`);
    const absolute = { seq: packet.seq, ack: packet.ack, incarnation: 1 };
    const before = fate === "sent" ? sent.get(segment) : was && moved(packet, was.packet, was.relative);
    const relative = before ?? absolute;
    latest.set(`${segment}/${copy}`, { packet, relative });
    numbers.set(n, relative);
  }
  return numbers;
}
