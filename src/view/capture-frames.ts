/** The packets of a capture, and which host saw which of them when. */
import type { SegmentEvent, SegmentRecord, TraceEvent } from "../trace/trace.ts";
import { fateWords } from "./fates.ts";

/** A packet on the interface of the host that sent it (outbound) or of the one that got it (inbound). */
export interface Frame {
  /** Its sending, or its delivery. */
  event: SegmentEvent;
  host: string;
  direction: "outbound" | "inbound";
  /** As it then was: the wire may have changed it on its way. */
  record: SegmentRecord;
  comments: string[];
}

/** That a host sent a packet, or got it. What simply passed is one frame, and two hosts saw it. */
export interface Sight {
  host: string;
  event: SegmentEvent;
  frame: Frame;
}

export interface Frames {
  /** In the trace's order. */
  frames: Frame[];
  sights: Sight[];
}

/** A copy of a segment, as far as the trace has gone. */
interface Copy {
  record: SegmentRecord;
  /** What the wire did to it, in words. */
  did: string[];
  /** It is not, or will not arrive, as and when it was sent. */
  isChanged: boolean;
}

class Framing implements Frames {
  readonly frames: Frame[] = [];
  readonly sights: Sight[] = [];
  /** By `segment/copy`. */
  readonly #copies = new Map<string, Copy>();
  readonly #sent = new Map<number, Frame>();

  constructor(private readonly host: string | undefined) {}

  add(event: SegmentEvent): void {
    if (event.fate === "sent") return this.#send(event);
    const copy = this.#copy(event);
    if (!copy) return;
    if (event.fate === "delivered") return this.#deliver(event, copy);
    if (event.fate === "modified" && event.packet) copy.record = event.packet;
    // It is the copy that is another packet, not what it was made of.
    if (event.fate === "duplicated") return;
    copy.isChanged = true;
    if (event.fate !== "held") copy.did.push(fateWords(event).full);
  }

  #send(event: SegmentEvent): void {
    if (!event.packet) return;
    const record = event.packet;
    this.#copies.set(`${event.segment}/1`, { record, did: [], isChanged: false });
    const host = event.host ?? record.from;
    if (this.#isShown(host)) {
      this.#sent.set(event.segment, this.#see({ event, host, direction: "outbound", record, comments: [] }));
    }
  }

  /** The copy that the event is about; one that nobody announced is made now, of the first. */
  #copy({ segment, copy = 1 }: SegmentEvent): Copy | undefined {
    const known = this.#copies.get(`${segment}/${copy}`);
    const first = this.#copies.get(`${segment}/1`);
    if (known || !first) return known;
    const made = { record: first.record, did: [`copy ${copy}, made by the wire`], isChanged: true };
    this.#copies.set(`${segment}/${copy}`, made);
    return made;
  }

  #deliver(event: SegmentEvent, copy: Copy): void {
    const host = event.host ?? copy.record.to;
    const sent = this.#sent.get(event.segment);
    // One host's own capture has what comes from the other only here.
    if (copy.isChanged || this.host !== undefined) {
      if (this.#isShown(host)) {
        this.#see({ event, host, direction: "inbound", record: copy.record, comments: [...copy.did] });
      }
    } else if (sent) this.sights.push({ host, event, frame: sent });
    // What arrives a second time is another packet.
    copy.isChanged = true;
  }

  #isShown(host: string): boolean {
    return this.host === undefined || this.host === host;
  }

  #see(frame: Frame): Frame {
    this.frames.push(frame);
    this.sights.push({ host: frame.host, event: frame.event, frame });
    return frame;
  }
}

/**
 * Every packet where and when it was sent, and where and when it arrived if the wire saw to it that it is another then,
 * or comes at another time than by itself. Of one `host`: every packet that it sent, and every one that it got.
 */
export function framesOf(events: readonly TraceEvent[], host?: string): Frames {
  const framing = new Framing(host);
  for (const event of events) if (event.kind === "segment") framing.add(event);
  return framing;
}

/** Of sights in the trace's order, the one nearest in time to the event; of two as near, the earlier. */
export function nearest(sights: readonly Sight[], event: TraceEvent): Sight | undefined {
  let [low, high] = [0, sights.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sights[middle]!.event.n < event.n) low = middle + 1;
    else high = middle;
  }
  const [before, after] = [sights[low - 1], sights[low]];
  if (!before || !after) return before ?? after;
  return after.event.tUs - event.tUs < event.tUs - before.event.tUs ? after : before;
}
