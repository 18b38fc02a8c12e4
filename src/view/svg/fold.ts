/** Bulk transfer in short: runs of segments that only carry or acknowledge data, and the calls in between. */
import type { CallName } from "../../call/call.ts";
import type { TraceEvent } from "../../trace/trace.ts";

/** Fewer segments with data than this are worth to be seen one by one. */
const MIN_SEGMENTS = 8;
const CALLS: ReadonlySet<CallName> = new Set<CallName>(["read", "write", "poll", "ioctl"]);

export interface Fold {
  /** Indices of events, both included. */
  first: number;
  last: number;
  /** Segments with data that were sent, their bytes, and the others: pure ACKs. */
  segments: number;
  bytes: number;
  acks: number;
  /** The host that sent most of the bytes. */
  from: string;
  /** How often each call was made, by host. */
  calls: Map<string, Map<CallName, number>>;
}

/** The numbers of the segments that nothing happened to but to be sent and delivered. */
function plainSegments(events: readonly TraceEvent[]): Set<number> {
  const plain = new Set<number>();
  for (const event of events) {
    if (event.kind !== "segment") continue;
    const flags = event.packet?.flags.every((flag) => flag === "ACK" || flag === "PSH") ?? false;
    if (event.fate === "sent" && flags) plain.add(event.segment);
    else if (event.fate !== "delivered") plain.delete(event.segment);
  }
  return plain;
}

function count(events: readonly TraceEvent[], first: number, last: number): Fold {
  const sentBy = new Map<string, number>();
  const fold: Fold = { first, last, segments: 0, bytes: 0, acks: 0, from: "", calls: new Map() };
  for (const event of events.slice(first, last + 1)) {
    if (event.kind === "call") {
      const ofHost = fold.calls.get(event.host) ?? new Map<CallName, number>();
      ofHost.set(event.call.name, (ofHost.get(event.call.name) ?? 0) + 1);
      fold.calls.set(event.host, ofHost);
    }
    if (event.kind !== "segment" || event.fate !== "sent") continue;
    const length = event.packet?.payloadLength ?? 0;
    if (length > 0) fold.segments++;
    else fold.acks++;
    fold.bytes += length;
    if (event.host !== undefined) sentBy.set(event.host, (sentBy.get(event.host) ?? 0) + length);
  }
  for (const [host, bytes] of sentBy) if (bytes > (sentBy.get(fold.from) ?? 0) || !fold.from) fold.from = host;
  return fold;
}

/** The runs of `events` that are shown as one, in their order. */
export function findFolds(events: readonly TraceEvent[]): Fold[] {
  const plain = plainSegments(events);
  const indices = new Map(events.map(({ n }, i) => [n, i]));
  const returns = new Map<number, number>();
  for (const [i, event] of events.entries())
    if (event.kind === "return") returns.set(indices.get(event.cause) ?? -1, i);

  const folds: Fold[] = [];
  let start = 0;
  const end = (after: number) => {
    let [first, last] = [start, after - 1];
    const within = (i: number | undefined) => i !== undefined && i >= first && i <= last;
    while (first <= last && events[first]!.kind === "call" && !within(returns.get(first))) first++;
    while (first <= last && events[last]!.kind === "call") last--;
    const fold = count(events, first, last);
    if (fold.segments >= MIN_SEGMENTS) folds.push(fold);
    start = after + 1;
  };
  const isBulk = (event: TraceEvent) => {
    if (event.kind === "segment") return plain.has(event.segment);
    if (event.kind === "call") return CALLS.has(event.call.name);
    return event.kind === "return" && (indices.get(event.cause) ?? -1) >= start;
  };
  for (const [i, event] of events.entries()) if (!isBulk(event)) end(i);
  end(events.length);
  return folds;
}
