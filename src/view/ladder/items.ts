/** What stands beside a life line: calls and what they gave, states, timers, notes. */
import type { Call } from "../../call/call.ts";
import type { EndState, NoteEvent, ReturnEvent, StateEvent, TimerEvent } from "../../trace/trace.ts";
import { escapeForTerminal } from "../escape.ts";
import { callLabel, changeLabel, noteLabel, resultLabel, stateLabel, timerLabel } from "../labels.ts";
import type { Style } from "./sgr.ts";
import { NO_BREAK } from "./text.ts";

export interface Item {
  /** The same in more words and in fewer. The last may be broken into lines. */
  texts: readonly string[];
  style?: Style | undefined;
  isState?: boolean;
}

const PHASES: Record<EndState, Style> = {
  CLOSED: "dim",
  BOUND: "opening",
  LISTEN: "opening",
  "SYN-SENT": "opening",
  "SYN-RECEIVED": "opening",
  ESTABLISHED: "open",
  "FIN-WAIT-1": "closing",
  "FIN-WAIT-2": "closing",
  "CLOSE-WAIT": "closing",
  CLOSING: "closing",
  "LAST-ACK": "closing",
  "TIME-WAIT": "waiting",
};

function glued(text: string): string {
  return text.replaceAll(" ", NO_BREAK);
}

/** What is quoted is not broken, if it can be helped. */
function gluedQuotes(text: string): string {
  return text.replace(/".*"/, glued);
}

function answer(call: Call, result: ReturnEvent["result"]): string {
  const text = resultLabel(call, result);
  return `=${NO_BREAK}${result.ok ? gluedQuotes(text) : glued(text)}`;
}

/**
 * A call where it was made: with its result if it gave it at once, with an ellipsis if that comes later. `prefix` says
 * whose call it is, where that is not clear.
 */
export function callItem(call: Call, result: ReturnEvent["result"] | undefined, prefix: string): Item {
  const label = prefix + gluedQuotes(callLabel(call));
  if (!result) return { texts: [call.name === "exit" ? label : `${label}${NO_BREAK}…`] };
  const style = result.ok ? undefined : "bad";
  return { texts: [`${label} ${answer(call, result)}`], style };
}

/** A call's result, where it comes later than the call. */
export function returnItem(call: Call, result: ReturnEvent["result"], prefix: string): Item {
  return { texts: [`${prefix}${call.name} ${answer(call, result)}`], style: result.ok ? undefined : "bad" };
}

/** `ofMany`: the host has several connections. */
export function stateItem(event: StateEvent, ofMany: boolean): Item {
  const short = `→ ${stateLabel(event)}`;
  const full = changeLabel(event);
  const id = escapeForTerminal(event.socket);
  const texts = [...(ofMany ? [`${id}: ${full}`, `${id}: ${short}`] : []), full, glued(short)];
  return { texts, style: PHASES[event.to], isState: true };
}

export function timerItem(event: TimerEvent): Item {
  const full = timerLabel(event);
  const fewer = full.replace(" timer", "").replace(/ \(.*/, "");
  return { texts: [full, fewer], style: event.timer === "timewait" ? "waiting" : undefined };
}

export function noteItem(event: NoteEvent, prefix: string): Item {
  return { texts: [prefix + noteLabel(event)], style: "dim" };
}
