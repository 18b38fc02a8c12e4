/** Which calls waited, and which had their answer at once. */
import { mayBlock } from "../call/call.ts";
import type { CallEvent, ReturnEvent, TraceEvent } from "../trace/trace.ts";

const AT_ONCE_US = 10_000;

/**
 * The returns of the calls that did not wait, by the call's number: they came within 10 ms, and of a call that may block,
 * before the peer sent anything more.
 */
export function returnsAtOnce(events: readonly TraceEvent[]): Map<number, ReturnEvent> {
  const calls = new Map<number, CallEvent>();
  const lastArrival = new Map<string, number>();
  const segmentTo = new Map<number, string>();
  const atOnce = new Map<number, ReturnEvent>();
  for (const event of events) {
    if (event.kind === "call") calls.set(event.n, event);
    if (event.kind === "segment" && event.packet) segmentTo.set(event.segment, event.packet.to);
    if (event.kind === "segment" && event.fate === "delivered") {
      lastArrival.set(event.host ?? segmentTo.get(event.segment) ?? "", event.n);
    }
    if (event.kind !== "return") continue;
    const made = calls.get(event.cause);
    if (!made || event.tUs - made.tUs > AT_ONCE_US) continue;
    const waited = mayBlock(made.call) && (lastArrival.get(event.host) ?? 0) > made.n;
    if (!waited) atOnce.set(made.n, event);
  }
  return atOnce;
}
