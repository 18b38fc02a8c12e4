/** The events of a trace as rows of a ladder: what a host does in one moment shares a row. */
import { escapeForTerminal } from "../escape.ts";
import { bytesLabel, callLabel, countLabel, resultLabel, timerLabel } from "../labels.ts";
import type { CallEvent, NoteEvent, ReturnEvent, SegmentEvent, StateEvent, TraceEvent } from "../../trace/trace.ts";
import { findFolds, type Fold } from "./fold.ts";
import { shorten, type Run } from "./text.ts";

/** What happens at one host, or on the wire. */
export interface MomentRow {
  kind: "moment";
  tUs: number;
  host?: string;
  /** What a process or a timer did. */
  margin?: Run[];
  states: StateEvent[];
  wire?: SegmentEvent;
}

export interface FoldRow {
  kind: "fold";
  tUs: number;
  fold: Fold;
  /** The calls in between, by host. */
  margins: Map<string, Run[]>;
}

/** Words across the whole width. */
export interface NoteRow {
  kind: "note";
  note: NoteEvent;
}

/** Nothing happens for a while. */
export interface PauseRow {
  kind: "pause";
  us: number;
}

export type Row = MomentRow | FoldRow | NoteRow | PauseRow;

export interface Rows {
  rows: Row[];
  /** The index of the row that an event is in, by the event's number. */
  rowOf: Map<number, number>;
}

const WHO_CELLS = 24;
/** Within this time the events of a host are one moment. */
const MOMENT_US = 2000;
const PAUSE_US = 100_000;
/** A call that returns within this time, with nothing arriving in between, has not waited. */
const AT_ONCE_US = 10_000;

/** A name, so short that there is room for what it does. */
function whoRun(name: string): Run {
  const whole = escapeForTerminal(name);
  return { text: shorten(whole, WHO_CELLS), whole, look: "who" };
}

function callRuns(event: CallEvent): Run[] {
  return [whoRun(event.process), { text: ` ${callLabel(event.call)}` }];
}

function resultRuns(call: CallEvent, { result }: ReturnEvent): Run[] {
  return [{ text: " =\u00a0" }, { text: resultLabel(call.call, result), look: result.ok ? "ok" : "bad" }];
}

function noteRuns({ about, process, text }: NoteEvent): Run[] {
  const who = process ? [whoRun(process), { text: " " }] : [];
  const words = escapeForTerminal(text);
  // "server started" of the process "server" says its name itself.
  if (about !== "output") return [...(process && text.includes(process) ? [] : who), { text: words, look: "dim" }];
  return [...who, { text: `“${words}”`, look: "output" }];
}

/** Calls of a bulk transfer: `read ×50, write ×3`. */
function foldMargins({ calls }: Fold): Map<string, Run[]> {
  const margins = new Map<string, Run[]>();
  for (const [host, counts] of calls) {
    const text = [...counts].map(([name, times]) => `${name} ×${countLabel(times)}`).join(", ");
    margins.set(host, [{ text, look: "dim" }]);
  }
  return margins;
}

/** `… 1,204 segments, 8,388,608 bytes`. */
export function foldLabel({ segments, bytes }: Fold): string {
  return `… ${countLabel(segments)} segments, ${bytesLabel(bytes)}`;
}

class RowBuilder implements Rows {
  readonly rows: Row[] = [];
  readonly rowOf = new Map<number, number>();
  /** Those that have not returned, by their number. */
  readonly #calls = new Map<number, CallEvent>();
  /** The number of the last event that was a delivery to a host. */
  readonly #lastDelivery = new Map<string, number>();
  #lastUs: number | undefined;

  #put(event: TraceEvent, row: Row): void {
    this.rowOf.set(event.n, this.rows.push(row) - 1);
  }

  /** The row of the moment, if it is this host's and `isFree`; otherwise a new one. */
  #moment(event: TraceEvent, host: string | undefined, isFree: (row: MomentRow) => boolean): MomentRow {
    const row = this.rows.at(-1);
    const isNow = row?.kind === "moment" && event.tUs - row.tUs <= MOMENT_US;
    if (isNow && host !== undefined && row.host === host && isFree(row)) {
      this.rowOf.set(event.n, this.rows.length - 1);
      return row;
    }
    const fresh: MomentRow = { kind: "moment", tUs: event.tUs, states: [], ...(host !== undefined && { host }) };
    this.#put(event, fresh);
    return fresh;
  }

  #margin(event: TraceEvent & { host?: string }, runs: Run[]): void {
    this.#moment(event, event.host, ({ margin }) => !margin).margin = runs;
  }

  #waits(call: CallEvent): void {
    const row = this.rows[this.rowOf.get(call.n) ?? -1];
    if (row?.kind === "moment") row.margin = [...callRuns(call), { text: " waits", look: "dim" }];
  }

  #return(event: ReturnEvent): void {
    const call = this.#calls.get(event.cause);
    if (!call) return;
    this.#calls.delete(call.n);
    const row = this.rows[this.rowOf.get(call.n) ?? -1];
    const atOnce = event.tUs - call.tUs <= AT_ONCE_US && (this.#lastDelivery.get(call.host) ?? 0) < call.n;
    if (atOnce && row?.kind === "moment") {
      row.margin = [...callRuns(call), ...resultRuns(call, event)];
      this.rowOf.set(event.n, this.rowOf.get(call.n)!);
    } else {
      this.#waits(call);
      this.#margin(event, [...callRuns(call), ...resultRuns(call, event)]);
    }
  }

  /** Time that passed before an event. */
  #pause(tUs: number): void {
    const us = tUs - (this.#lastUs ?? tUs);
    if (us >= PAUSE_US) this.rows.push({ kind: "pause", us });
    this.#lastUs = tUs;
  }

  add(event: TraceEvent): void {
    this.#pause(event.tUs);
    switch (event.kind) {
      case "call":
        this.#calls.set(event.n, event);
        return this.#margin(event, callRuns(event));
      case "return":
        return this.#return(event);
      case "segment":
        if (event.fate === "delivered" && event.host) this.#lastDelivery.set(event.host, event.n);
        this.#moment(event, event.host, ({ wire }) => !wire).wire = event;
        return;
      case "state": {
        const isFree = ({ states }: MomentRow) => states.every(({ socket }) => socket !== event.socket);
        this.#moment(event, event.host, isFree).states.push(event);
        return;
      }
      case "timer":
        return this.#margin(event, [whoRun(event.socket), { text: ` ${timerLabel(event)}`, look: "timer" }]);
      case "note":
        if (event.host === undefined || event.about === "story" || event.about === "expectation")
          return this.#put(event, { kind: "note", note: event });
        return this.#margin(event, noteRuns(event));
    }
  }

  fold(events: readonly TraceEvent[], fold: Fold): void {
    const inside = events.slice(fold.first, fold.last + 1);
    this.#pause(inside[0]!.tUs);
    this.rows.push({ kind: "fold", tUs: inside[0]!.tUs, fold, margins: foldMargins(fold) });
    for (const event of inside) {
      this.rowOf.set(event.n, this.rows.length - 1);
      if (event.kind === "call") this.#calls.set(event.n, event);
    }
    for (const event of inside) if (event.kind === "return") this.#calls.delete(event.cause);
    this.#lastUs = inside.at(-1)!.tUs;
  }

  /** Calls that never returned wait until the end; exit never does. */
  finish(): this {
    for (const call of this.#calls.values()) if (call.call.name !== "exit") this.#waits(call);
    return this;
  }
}

export function makeRows(events: readonly TraceEvent[]): Rows {
  const builder = new RowBuilder();
  let at = 0;
  for (const fold of [...findFolds(events), undefined]) {
    for (const event of events.slice(at, fold?.first)) builder.add(event);
    if (!fold) break;
    builder.fold(events, fold);
    at = fold.last + 1;
  }
  return builder.finish();
}
