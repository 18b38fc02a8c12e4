/** The events of a trace as rows of a ladder: what a host does in one moment shares a row. */
import { escapeForTerminal } from "../escape.ts";
import { returnsAtOnce } from "../at-once.ts";
import { callCountLabels, foldBulk, type Fold } from "../fold.ts";
import { callLabel, noteLabel, resultLabel, timerLabel } from "../labels.ts";
import type {
  CallEvent,
  CallResult,
  NoteEvent,
  ReturnEvent,
  SegmentEvent,
  StateEvent,
  TraceEvent,
} from "../../trace/trace.ts";
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

/** A name, so short that there is room for what it does. */
function whoRun(name: string): Run {
  const whole = escapeForTerminal(name);
  return { text: shorten(whole, WHO_CELLS), whole, look: "who" };
}

/** A call, and what it gave, if that is known yet. */
function callRuns({ process, call }: CallEvent, result?: CallResult): Run[] {
  const runs: Run[] = [whoRun(process), { text: ` ${callLabel(call)}` }];
  if (result) runs.push({ text: " =\u00a0" }, { text: resultLabel(call, result), look: result.ok ? "ok" : "bad" });
  else if (call.name !== "exit") runs.push({ text: " waits", look: "dim" });
  return runs;
}

function noteRuns(event: NoteEvent): Run[] {
  const who = event.process ? [whoRun(event.process), { text: " " }] : [];
  return [...who, { text: noteLabel(event), look: event.about === "output" ? "output" : "dim" }];
}

/** Calls of a bulk transfer: `50 × read, 3 × write`. */
function foldMargins({ calls }: Fold): Map<string, Run[]> {
  const margins = new Map<string, Run[]>();
  for (const [host, counts] of calls) margins.set(host, [{ text: callCountLabels(counts).join(", "), look: "dim" }]);
  return margins;
}

class RowBuilder implements Rows {
  readonly rows: Row[] = [];
  readonly rowOf = new Map<number, number>();
  readonly #calls = new Map<number, CallEvent>();
  readonly #atOnce: Map<number, ReturnEvent>;
  #lastUs: number | undefined;

  constructor(events: readonly TraceEvent[]) {
    this.#atOnce = returnsAtOnce(events);
  }

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

  /** What a call gave at once is beside the call. */
  #return(event: ReturnEvent): void {
    const call = this.#calls.get(event.cause);
    const callRow = this.rowOf.get(event.cause);
    if (this.#atOnce.has(event.cause) && callRow !== undefined) this.rowOf.set(event.n, callRow);
    else if (call) this.#margin(event, callRuns(call, event.result));
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
        return this.#margin(event, callRuns(event, this.#atOnce.get(event.n)?.result));
      case "return":
        return this.#return(event);
      case "segment":
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

  fold(fold: Fold): void {
    this.#pause(fold.tUs);
    this.rows.push({ kind: "fold", tUs: fold.tUs, fold, margins: foldMargins(fold) });
    for (const event of fold.events) {
      this.rowOf.set(event.n, this.rows.length - 1);
      if (event.kind === "call") this.#calls.set(event.n, event);
    }
    this.#lastUs = fold.lastUs;
  }
}

export function makeRows(events: readonly TraceEvent[]): Rows {
  const builder = new RowBuilder(events);
  for (const event of foldBulk(events)) {
    if (event.kind === "fold") builder.fold(event);
    else builder.add(event);
  }
  return builder;
}
