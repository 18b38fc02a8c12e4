/** What stands beside a life line: calls and what they gave, states, timers, notes. */
import type { Call } from "../../call/call.ts";
import type { EndState, NoteEvent, ReturnEvent, StateEvent, TimerEvent } from "../../trace/trace.ts";
import { escapeForTerminal } from "../escape.ts";
import { callLabel, resultLabel, stateLabel, timerLabel } from "../labels.ts";
import type { Style } from "./sgr.ts";
import { NO_BREAK } from "./text.ts";

export interface Item {
  /** The same in more words and in fewer. The last may be broken into lines. */
  texts: readonly string[];
  style?: Style | undefined;
  isState?: boolean;
  /** The name of a call that only moves data: many of them may be told as one. */
  moves?: string | undefined;
  /** What a call gave, where the call itself is another item. */
  isAnswer?: boolean;
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

function movesOf(call: Call, result?: ReturnEvent["result"]): string | undefined {
  const isMove = (call.name === "read" || call.name === "write") && (!result || (result.ok && result.value > 0));
  return isMove ? call.name : undefined;
}

/**
 * A call where it was made: with its result if it gave it at once, with an ellipsis if that comes later. `prefix` says
 * whose call it is, where that is not clear.
 */
export function callItem(call: Call, result: ReturnEvent["result"] | undefined, prefix: string): Item {
  const label = prefix + gluedQuotes(callLabel(call));
  if (!result) return { texts: [call.name === "exit" ? label : `${label}${NO_BREAK}…`], moves: movesOf(call) };
  const style = result.ok ? undefined : "bad";
  return { texts: [`${label} ${answer(call, result)}`], style, moves: movesOf(call, result) };
}

/** A call's result, where it comes later than the call. */
export function returnItem(call: Call, result: ReturnEvent["result"], prefix: string): Item {
  const texts = [`${prefix}${call.name} ${answer(call, result)}`];
  return { texts, style: result.ok ? undefined : "bad", moves: movesOf(call, result), isAnswer: true };
}

/** `ofMany`: the host has several connections. */
export function stateItem(event: StateEvent, ofMany: boolean): Item {
  const short = `→ ${stateLabel(event)}`;
  const full = `${event.from} ${short}`;
  const id = escapeForTerminal(event.socket);
  const texts = [...(ofMany ? [`${id}: ${full}`, `${id}: ${short}`] : []), full, glued(short)];
  return { texts, style: PHASES[event.to], isState: true };
}

export function timerItem(event: TimerEvent): Item {
  const full = timerLabel(event);
  const fewer = full.replace(" timer", "").replace(/ \(.*/, "");
  return { texts: [full, fewer], style: event.timer === "timewait" ? "waiting" : undefined };
}

export function noteItem({ about, text }: NoteEvent, prefix: string): Item {
  const words = escapeForTerminal(text);
  return { texts: [about === "output" ? `${prefix}prints “${words}”` : `${prefix}${words}`], style: "dim" };
}
