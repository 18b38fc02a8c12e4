/** Bulk transfer in short: runs of segments that only carry or acknowledge data, and the calls that moved it. */
import type { CallName } from "../call/call.ts";
import type { CallEvent, ReturnEvent, SegmentEvent, SegmentFate, TraceEvent } from "../trace/trace.ts";
import { bytesLabel, countLabel } from "./labels.ts";

/** Runs of less than both, segments with data and segments at all, are worth to be seen one by one. */
const LEAST_WITH_DATA = 8;
const LEAST = 16;

/** What one host sent to another. */
export interface Traffic {
  from: string;
  to: string;
  segments: number;
  /** Of payload. */
  bytes: number;
  delayed: number;
}

/** A run of events that is shown as one. */
export interface Fold {
  kind: "fold";
  tUs: number;
  lastUs: number;
  events: TraceEvent[];
  /** The one with the most bytes first. */
  traffic: Traffic[];
  /** How often each call was made, by host. */
  calls: Map<string, Map<CallName, number>>;
}

const MOVES: ReadonlySet<CallName> = new Set<CallName>(["read", "write", "poll", "ioctl"]);
const PLAIN: ReadonlySet<SegmentFate> = new Set<SegmentFate>(["sent", "delayed", "delivered"]);

/** Data, or a pure ACK, with the window open. */
function carriesOrAcknowledges({ fate, packet }: SegmentEvent): boolean {
  if (fate !== "sent" || !packet || packet.window === 0) return false;
  return packet.flags.every((flag) => flag === "ACK" || flag === "PSH");
}

/** The numbers of the segments to which nothing happened but that they were sent, waited and were delivered. */
function plainSegments(events: readonly TraceEvent[]): Set<number> {
  const plain = new Set<number>();
  for (const event of events) {
    if (event.kind !== "segment") continue;
    if (carriesOrAcknowledges(event)) plain.add(event.segment);
    else if (!PLAIN.has(event.fate)) plain.delete(event.segment);
  }
  return plain;
}

/** True for a call that only moved data: not for one that failed, that found the end, or that never returned. */
function onlyMoves({ call }: CallEvent, returned: ReturnEvent | undefined): boolean {
  if (!MOVES.has(call.name) || !returned?.result.ok) return false;
  return call.name === "poll" || call.name === "ioctl" || returned.result.value > 0;
}

function trafficOf(events: readonly TraceEvent[]): Traffic[] {
  const found = new Map<string, Traffic>();
  const bySegment = new Map<number, Traffic>();
  for (const event of events) {
    if (event.kind !== "segment") continue;
    if (event.fate === "delayed") {
      const traffic = bySegment.get(event.segment);
      if (traffic) traffic.delayed++;
    }
    if (event.fate !== "sent" || !event.packet) continue;
    const { from, to, payloadLength } = event.packet;
    const key = JSON.stringify([from, to]);
    const traffic = found.get(key) ?? { from, to, segments: 0, bytes: 0, delayed: 0 };
    found.set(key, traffic);
    bySegment.set(event.segment, traffic);
    traffic.segments++;
    traffic.bytes += payloadLength;
  }
  return [...found.values()].sort((a, b) => b.bytes - a.bytes);
}

function callsOf(events: readonly TraceEvent[]): Fold["calls"] {
  const calls: Fold["calls"] = new Map();
  for (const event of events) {
    if (event.kind !== "call") continue;
    const ofHost = calls.get(event.host) ?? new Map<CallName, number>();
    ofHost.set(event.call.name, (ofHost.get(event.call.name) ?? 0) + 1);
    calls.set(event.host, ofHost);
  }
  return calls;
}

/** A run as one, if there is enough of it. */
function folded(events: TraceEvent[]): Fold | undefined {
  const sent = events.filter((event) => event.kind === "segment" && event.fate === "sent");
  const withData = sent.filter((event) => event.kind === "segment" && event.packet && event.packet.payloadLength > 0);
  if (withData.length < LEAST_WITH_DATA && sent.length < LEAST) return undefined;
  return {
    kind: "fold",
    tUs: events[0]!.tUs,
    lastUs: events.at(-1)!.tUs,
    events,
    traffic: trafficOf(events),
    calls: callsOf(events),
  };
}

/** A run without the calls at its ends that it does not see return. */
function trimmed(run: readonly TraceEvent[]): { before: TraceEvent[]; events: TraceEvent[]; after: TraceEvent[] } {
  const returned = new Set(run.flatMap((event) => (event.kind === "return" ? [event.cause] : [])));
  const isOpen = (event: TraceEvent) => event.kind === "call" && !returned.has(event.n);
  let [first, end] = [0, run.length];
  while (first < end && isOpen(run[first]!)) first++;
  while (end > first && isOpen(run[end - 1]!)) end--;
  return { before: run.slice(0, first), events: run.slice(first, end), after: run.slice(end) };
}

/** The events in their order, each run of bulk transfer as one. */
export function foldBulk(events: readonly TraceEvent[]): (TraceEvent | Fold)[] {
  const plain = plainSegments(events);
  const returns = new Map(events.flatMap((event) => (event.kind === "return" ? [[event.cause, event]] : [])));
  const result: (TraceEvent | Fold)[] = [];
  let run: TraceEvent[] = [];
  let calls = new Set<number>();
  const endRun = () => {
    const { before, events: inside, after } = trimmed(run);
    const fold = folded(inside);
    if (fold) result.push(...before, fold, ...after);
    else result.push(...run);
    run = [];
    calls = new Set();
  };
  const isBulk = (event: TraceEvent) => {
    if (event.kind === "segment") return plain.has(event.segment);
    if (event.kind === "call") return onlyMoves(event, returns.get(event.n));
    return event.kind === "return" && calls.has(event.cause);
  };
  for (const event of events) {
    if (isBulk(event)) {
      run.push(event);
      if (event.kind === "call") calls.add(event.n);
      continue;
    }
    endRun();
    result.push(event);
  }
  endRun();
  return result;
}

/** `1,204 segments, 8,388,608 bytes`. */
export function trafficLabel({ segments, bytes, delayed }: Traffic): string {
  const amounts = [`${countLabel(segments)} ${segments === 1 ? "segment" : "segments"}`];
  if (bytes > 0) amounts.push(bytesLabel(bytes));
  if (delayed > 0) amounts.push(`${countLabel(delayed)} delayed`);
  return amounts.join(", ");
}

/** `12 × read`, for each call. */
export function callCountLabels(calls: ReadonlyMap<CallName, number>): string[] {
  return [...calls].map(([name, count]) => `${countLabel(count)} × ${name}`);
}
