/** The wire as a story speaks of it. Rules act from the moment they are given; the first that matches decides. */
import { fromHex } from "../codec/hex.ts";
import { readHopsLeft } from "../codec/ip.ts";
import type { Link } from "../link/link.ts";
import type { Action, Change, Match } from "../link/rule.ts";
import type { Recorder } from "../trace/recorder.ts";
import type { SegmentEvent, SegmentRecord, TraceEvent } from "../trace/trace.ts";
import { take, Unmet, type Story } from "./story.ts";

/** Which of the segments that match: after so many others, and how many (all, without). */
export interface Which {
  skip?: number;
  times?: number;
}

/** A segment that was sent, and what became of it. */
export interface SentSegment extends SegmentRecord {
  segment: number;
  tUs: number;
  delivered: boolean;
  /** Its hops ran out. */
  expired: boolean;
}

/** Which of the segments that were sent. */
export type Sent = Pick<Match, "from" | "has" | "lacks" | "payload">;

type SentEvent = SegmentEvent & { packet: SegmentRecord };

function isSent(event: TraceEvent, { from, has = [], lacks = [], payload }: Sent): event is SentEvent {
  if (event.kind !== "segment" || event.fate !== "sent" || !event.packet) return false;
  const { flags, payloadLength } = event.packet;
  if (from !== undefined && event.packet.from !== from) return false;
  if (!has.every((flag) => flags.includes(flag)) || lacks.some((flag) => flags.includes(flag))) return false;
  return payload === undefined || payload === payloadLength > 0;
}

function describe({ from, to, has = [], lacks = [], payload }: Match): string {
  const what = has.length > 0 ? has.join(",") : payload ? "data" : "segments";
  const without = lacks.length > 0 ? ` without ${lacks.join(",")}` : "";
  return `${what}${without}${from ? ` from ${from}` : ""}${to ? ` to ${to}` : ""}`;
}

/** Segments in short: who sent it, its flags, and how much data it carries, if any: `client PSH,ACK 11`. */
export function inShort(segments: readonly SentSegment[]): string[] {
  return segments.map(({ from, flags, payloadLength }) =>
    [from, flags.join(","), ...(payloadLength > 0 ? [payloadLength] : [])].join(" "),
  );
}

/** How many routers a segment could pass when it was sent: IPv4's TTL, IPv6's hop limit. */
export function hopsOf({ bytes }: SegmentRecord): number {
  return readHopsLeft(fromHex(bytes)!);
}

export class LabWire {
  constructor(
    private readonly recorder: Recorder,
    private readonly link: Link,
  ) {}

  /** Every rule has a name that the trace shows, and by which it can be taken back. */
  #add(match: Match, action: Action, which: Which): string {
    const name = `${action.do} ${describe(match)}`;
    this.link.add({ name, match, action, ...which });
    this.recorder.note("setting", `the wire will ${name}`);
    return name;
  }

  drop(match: Match, which: Which = {}): string {
    return this.#add(match, { do: "drop" }, which);
  }

  /** Keeps segments under a name until they are released. */
  hold(match: Match, as: string, which: Which = {}): string {
    return this.#add(match, { do: "hold", as }, which);
  }

  /** Lets segments pass and keeps a copy: an old duplicate in the making. */
  copy(match: Match, as: string, which: Which = {}): string {
    return this.#add(match, { do: "copy", as }, which);
  }

  delay(match: Match, ms: number, which: Which = {}): string {
    return this.#add(match, { do: "delay", byUs: ms * 1000 }, which);
  }

  duplicate(match: Match, copies = 1, which: Which = {}): string {
    return this.#add(match, { do: "duplicate", copies }, which);
  }

  /** A segment arrives after `behind` others of its host. */
  reorder(match: Match, behind = 1, which: Which = { times: 1 }): string {
    return this.#add(match, { do: "reorder", behind }, which);
  }

  modify(match: Match, change: Change, which: Which = {}): string {
    return this.#add(match, { do: "modify", change }, which);
  }

  /** Takes a rule back. */
  remove(name: string): void {
    this.link.remove(name);
    this.recorder.note("setting", `the wire will no longer ${name}`);
  }

  /** How many routers stand between the hosts. */
  routers(count: number): void {
    this.link.routers = count;
    this.recorder.note("setting", `${count} routers stand between the hosts`);
  }

  /** How many segments are held under this name. */
  held(as: string): number {
    return this.link.held(as).length;
  }

  /** What is held under this name, as it was sent. */
  heldSegments(as: string): { seq: number; ack: number; length: number }[] {
    return this.link
      .held(as)
      .map(({ packet: { tcp } }) => ({ seq: tcp.seq, ack: tcp.ack, length: tcp.payload.length }));
  }

  *release(as: string, count = Infinity): Story {
    yield* take({ step: "release", as, count });
  }

  /** The segments that were sent so far, of those that match by host, flags and whether they carry data. */
  sent(match: Sent = {}): SentSegment[] {
    return this.#since(0, match);
  }

  /** The last of them. */
  lastSent(match: Sent = {}): SentSegment {
    const last = this.recorder.events.findLastIndex((event) => isSent(event, match));
    const [segment] = last < 0 ? [] : this.#since(last, match);
    if (!segment) throw new Unmet(`no ${describe(match)} was sent`);
    return segment;
  }

  /** What was sent from this place of the list of events on, and what became of it. */
  #since(start: number, match: Sent): SentSegment[] {
    const events = this.recorder.events.slice(start);
    const fates = { delivered: new Set<number>(), expired: new Set<number>() };
    for (const event of events) {
      if (event.kind !== "segment") continue;
      if (event.fate === "delivered" || event.fate === "expired") fates[event.fate].add(event.segment);
    }
    return events
      .filter((event) => isSent(event, match))
      .map(({ packet, segment, tUs }) => ({
        ...packet,
        segment,
        tUs,
        delivered: fates.delivered.has(segment),
        expired: fates.expired.has(segment),
      }));
  }
}
