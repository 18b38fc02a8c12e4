/** From a trace's events to the rows of its ladder. */
import type { RelativeNumbers } from "../../codec/numbering.ts";
import { relativeNumbers } from "../../trace/relative.ts";
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
import { segmentLabel } from "../labels.ts";
import { Flights } from "./flights.ts";
import { callItem, type Item, noteItem, returnItem, stateItem, timerItem } from "./items.ts";
import { type Row, Rows, type Side } from "./rows.ts";

/** The names of the two hosts that have a life line: those that the first segment runs between, in the trace's order. */
export function lifeLines({ hosts, events }: Pick<Trace, "hosts" | "events">): Record<Side, string> {
  const first = events.find((event) => event.kind === "segment" && event.packet !== undefined) as
    | SegmentEvent
    | undefined;
  const names = hosts.map(({ name }) => name);
  const ends = first?.packet ? [first.packet.from, first.packet.to] : [];
  const [left = "", right = ""] = [
    ...names.filter((name) => ends.includes(name)),
    ...ends.filter((name) => !names.includes(name)),
    ...names.filter((name) => !ends.includes(name)),
  ];
  return { left, right };
}

function timerMatters({ timer, what }: TimerEvent, timeWaitIsTold: boolean): boolean {
  if (timer === "timewait") return what === "restarted" || (what === "started" && !timeWaitIsTold);
  return what === "expired" || (timer === "persist" && what === "started");
}

const UNCONNECTED = new Set<EndState>(["CLOSED", "BOUND", "LISTEN"]);

class Composer {
  readonly rows = new Rows();
  readonly #flights = new Flights(this.rows);
  readonly #lines: Record<Side, string>;
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
    this.#numbers = relativeNumbers(trace.events);
    this.#atOnce = returnsAtOnce(trace.events);
    const add = (sets: Map<string, Set<string>>, host: string, name: string) =>
      sets.set(host, (sets.get(host) ?? new Set()).add(name));
    for (const event of trace.events) {
      if (event.kind === "call") add(this.#processes, event.host, event.process);
      if (event.kind === "state" && !UNCONNECTED.has(event.to)) add(this.#connections, event.host, event.socket);
    }
  }

  compose(events: readonly TraceEvent[]): Row[] {
    for (const event of events) this.#event(event);
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
    const relative = this.#numbers.get(event.segment);
    if (event.fate === "sent" && event.packet && relative) this.#sent(event, event.packet, relative);
    else if (this.#elsewhere.has(event.segment) || !this.#flights.fate(event)) {
      const label = this.#elsewhere.get(event.segment) ?? `segment #${event.segment}`;
      this.#wide(event.tUs, `${label}: ${event.fate}`);
    }
  }

  #sent(event: SegmentEvent, packet: SegmentRecord, relative: RelativeNumbers): void {
    const from = this.#side(packet.from);
    const to = this.#side(packet.to);
    if (from && to && from !== to) return this.#flights.sent(event, packet, relative, from);
    const label = `${packet.from} → ${packet.to} #${event.segment} ${segmentLabel(packet, relative)}`;
    this.#elsewhere.set(event.segment, escapeForTerminal(label));
    this.#wide(event.tUs, `${escapeForTerminal(label)}: sent`);
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
    else this.#put(tUs, host, noteItem(event, about === "output" ? this.#prefix(host, process) : ""));
  }
}

/** All rows, none folded. */
export function composeRows(trace: Trace): Row[] {
  return new Composer(trace).compose(trace.events);
}
