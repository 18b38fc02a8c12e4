/** Events in words, as a report lists them. All are safe for a terminal; HTML still has to escape them. */
import { escapeForTerminal } from "../escape.ts";
import { copyLabel, fateWords, ruleLabel } from "../fates.ts";
import { callLabel, changeLabel, noteLabel, resultLabel, segmentLabel, timerLabel } from "../labels.ts";
import { packetNumbers } from "../numbers.ts";
import type { Trace, TraceEvent } from "../../trace/trace.ts";

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

/** Gives the words of a trace's events. */
export function eventWords({ events }: Trace): (event: TraceEvent) => EventWords {
  const numbers = packetNumbers(events);
  const calls = new Map(events.flatMap((event) => (event.kind === "call" ? [[event.n, event.call]] : [])));
  const what = (event: TraceEvent): string => {
    switch (event.kind) {
      case "call":
        return callLabel(event.call);
      case "return": {
        const call = calls.get(event.cause);
        return call ? `${callLabel(call)} = ${resultLabel(call, event.result)}` : "";
      }
      case "segment": {
        const relative = numbers.get(event.n);
        const segment = event.packet && relative ? `: ${segmentLabel(event.packet, relative)}` : "";
        return `segment ${event.segment} ${fateWords(event).brief}${copyLabel(event)}${segment}${ruleLabel(event)}`;
      }
      case "state":
        return changeLabel(event);
      case "timer":
        return timerLabel(event);
      case "note":
        return noteLabel(event);
    }
  };
  return (event) => ({ who: escapeForTerminal(whoOf(event)), what: what(event) });
}
