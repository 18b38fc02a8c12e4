/** From a trace's events to the rows of its ladder. */
import type { RelativeNumbers } from "../../codec/numbering.ts";
import type {
  CallEvent,
  EndState,
  NoteEvent,
  ReturnEvent,
  SegmentEvent,
  SegmentRecord,
  StateEvent,
  TimerEvent,
  Trace,
  TraceEvent,
} from "../../trace/trace.ts";
import { returnsAtOnce } from "../at-once.ts";
import { escapeForTerminal } from "../escape.ts";
import { fateWords } from "../fates.ts";
import { callCountLabels, foldBulk, trafficLabel, type Fold } from "../fold.ts";
import { segmentLabel } from "../labels.ts";
import { packetNumbers } from "../numbers.ts";
import { lifeLines, type LifeLines } from "../sides.ts";
import { Flights } from "./flights.ts";
import { callItem, type Item, noteItem, returnItem, stateItem, timerItem } from "./items.ts";
import { type Row, Rows, type Side } from "./rows.ts";

function timerMatters({ timer, what }: TimerEvent, timeWaitIsTold: boolean): boolean {
  if (timer === "timewait") return what === "restarted" || (what === "started" && !timeWaitIsTold);
  return what === "expired" || (timer === "persist" && what === "started");
}

const UNCONNECTED = new Set<EndState>(["CLOSED", "BOUND", "LISTEN"]);

class Composer {
  readonly rows = new Rows();
  readonly #flights = new Flights(this.rows);
  readonly #lines: LifeLines;
  /** Of the packets of events. */
  readonly #numbers: Map<number, RelativeNumbers>;
  readonly #atOnce: Map<number, ReturnEvent>;
  readonly #calls = new Map<number, CallEvent>();
  readonly #processes = new Map<string, Set<string>>();
  /** The sockets of each host that were connections: not only bound, or listening. */
  readonly #connections = new Map<string, Set<string>>();
  /** Sockets whose state told how long it lasts. */
  readonly #told = new Set<string>();
  /** Segments without a way between the life lines. */
  readonly #elsewhere = new Map<number, string>();

  constructor(trace: Trace) {
    this.#lines = lifeLines(trace);
    this.#numbers = packetNumbers(trace.events);
    this.#atOnce = returnsAtOnce(trace.events);
    const add = (sets: Map<string, Set<string>>, host: string, name: string) =>
      sets.set(host, (sets.get(host) ?? new Set()).add(name));
    for (const event of trace.events) {
      if (event.kind === "call") add(this.#processes, event.host, event.process);
      if (event.kind === "note" && event.host && event.process) add(this.#processes, event.host, event.process);
      if (event.kind === "state" && !UNCONNECTED.has(event.to)) add(this.#connections, event.host, event.socket);
    }
  }

  compose(events: Iterable<TraceEvent | Fold>): Row[] {
    for (const event of events) {
      if (event.kind === "fold") this.#fold(event);
      else this.#event(event);
    }
    this.#flights.finish();
    return this.rows.rows;
  }

  #event(event: TraceEvent): void {
    switch (event.kind) {
      case "call":
        return this.#call(event);
      case "return":
        return this.#return(event);
      case "segment":
        return this.#segment(event);
      case "state":
        return this.#state(event);
      case "timer":
        return this.#timer(event);
      case "note":
        return this.#note(event);
    }
  }

  #side(host: string | undefined): Side | undefined {
    if (host === this.#lines.left) return "left";
    return host === this.#lines.right ? "right" : undefined;
  }

  /** `server 2: `, where the host has several processes. */
  #prefix(host: string, process: string | undefined): string {
    const several = (this.#processes.get(host)?.size ?? 0) > 1;
    return several && process !== undefined ? `${escapeForTerminal(process)}: ` : "";
  }

  /** What is `alone` begins a row. */
  #put(tUs: number, host: string, item: Item, alone = false): void {
    const side = this.#side(host);
    if (!side) this.#wide(tUs, `${escapeForTerminal(host)}: ${item.texts[0]}`);
    else if (alone) this.rows.step(tUs)[side].push(item);
    else this.rows.join(tUs, side, item);
  }

  #wide(tUs: number, text: string): void {
    this.rows.add({ kind: "wide", tUs, text });
  }

  #call(event: CallEvent): void {
    const { n, tUs, host, process, call } = event;
    this.#calls.set(n, event);
    this.#put(tUs, host, callItem(call, this.#atOnce.get(n)?.result, this.#prefix(host, process)), true);
  }

  #return({ cause, tUs, host, process, result }: ReturnEvent): void {
    const made = this.#calls.get(cause);
    if (!made || this.#atOnce.has(cause)) return;
    this.#put(tUs, host, returnItem(made.call, result, this.#prefix(host, process)));
  }

  #segment(event: SegmentEvent): void {
    const { segment, tUs, fate, packet } = event;
    const relative = this.#numbers.get(event.n);
    if (fate === "sent" && packet && relative) this.#sent(event, packet, relative);
    else if (this.#elsewhere.has(segment) || !this.#flights.fate(event, relative)) {
      this.#wide(tUs, `${this.#elsewhere.get(segment) ?? `segment #${segment}`}: ${fateWords(event).brief}`);
    }
  }

  #sent(event: SegmentEvent, packet: SegmentRecord, relative: RelativeNumbers): void {
    const from = this.#side(packet.from);
    if (from && this.#isAcross(packet)) return this.#flights.sent(event, packet, relative, from);
    this.#wide(event.tUs, `${this.#nameElsewhere(event, packet, relative)}: sent`);
  }

  /** True for what is drawn between the life lines. */
  #isAcross({ from, to }: { from: string; to: string }): boolean {
    const sides = [this.#side(from), this.#side(to)];
    return sides.includes("left") && sides.includes("right");
  }

  #nameElsewhere({ segment }: SegmentEvent, packet: SegmentRecord, relative: RelativeNumbers): string {
    const label = `${packet.from} → ${packet.to} #${segment} `;
    const name = escapeForTerminal(label) + segmentLabel(packet, relative);
    this.#elsewhere.set(segment, name);
    return name;
  }

  /** A row for many events. What goes on after it still has to be known. */
  #fold({ tUs, lastUs, events, traffic, calls }: Fold): void {
    const row: Row = { kind: "fold", tUs, lastUs, left: [], right: [], middle: [] };
    for (const each of traffic) {
      if (!this.#isAcross(each))
        this.#wide(tUs, `${escapeForTerminal(`${each.from} → ${each.to}`)}: ${trafficLabel(each)}`);
      else row.middle.push(`… ${trafficLabel(each)} ${this.#side(each.from) === "left" ? "→" : "←"}`);
    }
    for (const [host, counts] of calls) {
      const side = this.#side(host);
      if (side) row[side].push(...callCountLabels(counts));
      else this.#wide(tUs, `${escapeForTerminal(host)}: ${callCountLabels(counts).join(", ")}`);
    }
    if (row.left.length + row.right.length + row.middle.length > 0) this.rows.add(row);
    for (const event of events) {
      if (event.kind === "call") this.#calls.set(event.n, event);
      if (event.kind === "segment") this.#foldSegment(event);
    }
  }

  #foldSegment(event: SegmentEvent): void {
    const { fate, packet } = event;
    const relative = this.#numbers.get(event.n);
    if (fate !== "sent" || !packet || !relative) return this.#flights.foldedFate(event);
    const from = this.#side(packet.from);
    if (from && this.#isAcross(packet)) this.#flights.foldedSent(event, packet, relative, from);
    else this.#nameElsewhere(event, packet, relative);
  }

  #state(event: StateEvent): void {
    if (event.timer) this.#told.add(event.socket);
    else this.#told.delete(event.socket);
    this.#put(event.tUs, event.host, stateItem(event, (this.#connections.get(event.host)?.size ?? 0) > 1));
  }

  #timer(event: TimerEvent): void {
    if (!timerMatters(event, this.#told.has(event.socket))) return;
    this.#put(event.tUs, event.host, timerItem(event), event.what === "expired");
  }

  #note(event: NoteEvent): void {
    const { about, host, process, text, tUs } = event;
    if (about === "expectation") return;
    if (about === "story") this.rows.add({ kind: "heading", text: escapeForTerminal(text) });
    else if (host === undefined) this.#wide(tUs, escapeForTerminal(text));
    else this.#put(tUs, host, noteItem(event, this.#prefix(host, process)));
  }
}

/** The rows of `events`, which are the trace's own. */
export function composeRows(trace: Trace, events: Iterable<TraceEvent | Fold> = foldBulk(trace.events)): Row[] {
  return new Composer(trace).compose(events);
}
