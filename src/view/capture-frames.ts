/** The packets of a trace as its hosts saw them, one by one. */
import type { SegmentEvent, SegmentRecord, TraceEvent } from "../trace/trace.ts";

/** A packet as one host sent it, or got it. */
export interface Frame {
  event: SegmentEvent;
  host: string;
  /** As it then was: the wire may have changed it on its way. */
  record: SegmentRecord;
  comments: string[];
}

/** What each copy of each segment is, at some point of the trace. */
class Copies {
  readonly #records = new Map<string, SegmentRecord>();

  follow({ segment, fate, copy = 1, packet }: SegmentEvent): SegmentRecord | undefined {
    const key = `${segment}/${copy}`;
    if (packet && (fate === "sent" || fate === "modified")) this.#records.set(key, packet);
    const record = this.#records.get(key) ?? this.#records.get(`${segment}/1`);
    // From here on what is done to the first copy is not done to this one.
    if (record && fate === "duplicated") this.#records.set(key, record);
    return record;
  }
}

/** Every packet that was sent, and every one that was delivered, in the trace's order; without comments. */
export function framesOf(events: readonly TraceEvent[]): Frame[] {
  const copies = new Copies();
  const frames: Frame[] = [];
  for (const event of events) {
    if (event.kind !== "segment") continue;
    const record = copies.follow(event);
    if (!record || (event.fate !== "sent" && event.fate !== "delivered")) continue;
    const host = event.host ?? (event.fate === "sent" ? record.from : record.to);
    frames.push({ event, host, record, comments: [] });
  }
  return frames;
}

/** Of frames in the trace's order, the one nearest in time to the event; of two as near, the earlier. */
export function nearest(frames: readonly Frame[], event: TraceEvent): Frame | undefined {
  let [low, high] = [0, frames.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (frames[middle]!.event.n < event.n) low = middle + 1;
    else high = middle;
  }
  const [before, after] = [frames[low - 1], frames[low]];
  if (!before || !after) return before ?? after;
  return after.event.tUs - event.tUs < event.tUs - before.event.tUs ? after : before;
}
