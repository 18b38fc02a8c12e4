/** The words of a report for outcomes and events. All are safe for a terminal; HTML still has to escape them. */
import { escapeForTerminal } from "../escape.ts";
import { callLabel, resultLabel, segmentLabel, stateLabel, timerLabel } from "../labels.ts";
import { fateLabel } from "../svg/flights.ts";
import type { CallEvent, NoteEvent, Outcome, Trace, TraceEvent } from "../../trace/trace.ts";
import { relativeNumbers } from "../../trace/relative.ts";

/** How an outcome looks: classes of style.ts. */
export type Look = "yes" | "no" | "partly" | "failed" | "not-run";

export function outcomeWords(outcome: Outcome): { look: Look; short: string; sentence: string } {
  if (outcome.status === "failed") return { look: "failed", short: "failed", sentence: outcome.reason };
  if (outcome.status === "not run") return { look: "not-run", short: "not run", sentence: outcome.reason };
  const { holds, because } = outcome.verdict;
  const short = { yes: "holds", no: "does not hold", partly: "holds partly" }[holds];
  return { look: holds, short, sentence: because };
}

export function expectationsOf({ events }: Trace): NoteEvent[] {
  return events.filter((event): event is NoteEvent => event.kind === "note" && event.about === "expectation");
}

/** Who an event is about: a process, a socket, a host, or the wire. */
function whoOf(event: TraceEvent): string {
  if (event.kind === "segment") return event.host ?? "wire";
  if (event.kind === "state" || event.kind === "timer") return event.socket;
  return event.process ?? event.host ?? "";
}

export interface EventWords {
  who: string;
  what: string;
}

/** Gives the words of a trace's events, which are asked for in their order. */
export function eventWords(trace: Trace): (event: TraceEvent) => EventWords {
  const numbers = relativeNumbers(trace.events);
  const calls = new Map<number, CallEvent>();
  const what = (event: TraceEvent): string => {
    switch (event.kind) {
      case "call":
        calls.set(event.n, event);
        return callLabel(event.call);
      case "return": {
        const call = calls.get(event.cause)?.call;
        return call ? `${callLabel(call)} = ${resultLabel(call, event.result)}` : "";
      }
      case "segment": {
        const { packet, rule } = event;
        const relative = packet && (numbers.get(event.segment) ?? { seq: packet.seq, ack: packet.ack, incarnation: 1 });
        const segment = packet && relative ? `: ${segmentLabel(packet, relative)}` : "";
        const by = rule === undefined ? "" : ` (${escapeForTerminal(rule)})`;
        return `segment ${event.segment} ${fateLabel(event)}${segment}${by}`;
      }
      case "state":
        return `${event.from} to ${stateLabel(event)}`;
      case "timer":
        return timerLabel(event);
      case "note": {
        const met = event.about === "expectation" ? (event.met ? "met: " : "not met: ") : "";
        return `${met}${escapeForTerminal(event.text)}`;
      }
    }
  };
  return (event) => ({ who: escapeForTerminal(whoOf(event)), what: what(event) });
}
