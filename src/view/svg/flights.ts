/** What segments do on the wire: the way of each copy, from its host to where it ends. */
import type { SegmentEvent, SegmentRecord, Trace } from "../../trace/trace.ts";
import type { RelativeNumbers } from "../../codec/numbering.ts";
import { copyLabel, fateWords, ruleLabel } from "../fates.ts";
import { endpointLabel, segmentLabel, segmentLabels, timeLabel } from "../labels.ts";
import { packetNumbers } from "../numbers.ts";
import { sideOf, type Side } from "./lanes.ts";
import type { Rows } from "./rows.ts";
import { cells, textOf, type Run } from "./text.ts";

/** What a segment is for; a class of style.ts. */
export type Meaning = "open" | "close" | "reset" | "data" | "ack";

/** A point of the way, in a row. */
export interface Stop {
  row: number;
  /** At the sender's or the receiver's life line, or in the gutter of the wire. */
  at: "sender" | "receiver" | "gutter";
  /** Of the gutter: 0, or one of those for segments that are held. */
  column: number;
  /** How the line that ends here looks: one that waits goes straight down. */
  line: "solid" | "dashed" | "waiting";
  mark?: "lost" | "held" | "released" | "forked" | "changed" | "delayed";
}

export interface Flight {
  side: Side;
  meaning: Meaning;
  stops: Stop[];
  /** The segment in words, the longest first, where its sending is a row of its own. */
  label?: readonly string[];
  /** Everything about the segment. */
  full: string;
  /** `open`: it was on its way when the trace ended. */
  end: "arrived" | "lost" | "open";
}

/** Words about what the wire did, in the receiver's half. */
export interface WireText {
  row: number;
  side: Side;
  runs: Run[];
}

export interface Wire {
  flights: Flight[];
  texts: WireText[];
  /** How many segments are held at once, at most. */
  columns: number;
}

export function meaningOf({ flags, payloadLength }: Pick<SegmentRecord, "flags" | "payloadLength">): Meaning {
  if (flags.includes("RST")) return "reset";
  if (flags.includes("SYN")) return "open";
  if (flags.includes("FIN")) return "close";
  return payloadLength > 0 ? "data" : "ack";
}

/** Endpoints and absolute numbers: what the label leaves out. */
export function segmentInFull(record: SegmentRecord, relative: RelativeNumbers): string {
  const numbers = `seq ${record.seq}, ack ${record.ack}, window ${record.window}`;
  return `${segmentLabel(record, relative)}, ${endpointLabel(record.source)} to ${endpointLabel(record.destination)}, ${numbers}`;
}

const MARKS: Partial<Record<SegmentEvent["fate"], Stop["mark"]>> = {
  dropped: "lost",
  expired: "lost",
  held: "held",
  released: "released",
  duplicated: "forked",
  modified: "changed",
  delayed: "delayed",
};

class WireBuilder {
  readonly flights: Flight[] = [];
  readonly texts: WireText[] = [];
  columns = 0;
  /** The copies of each segment. */
  readonly #copies = new Map<number, Map<number, Flight>>();
  readonly #taken: boolean[] = [true];
  readonly #numbers: Map<number, RelativeNumbers>;

  constructor(
    private readonly trace: Trace,
    private readonly rows: Rows,
  ) {
    this.#numbers = packetNumbers(trace.events);
  }

  #sent(event: SegmentEvent, record: SegmentRecord): void {
    const row = this.rows.rowOf.get(event.n)!;
    const relative = this.#numbers.get(event.n)!;
    const flight: Flight = {
      side: sideOf(this.trace, record.from),
      meaning: meaningOf(record),
      stops: [{ row, at: "sender", column: 0, line: "solid" }],
      full: `${segmentInFull(record, relative)}; sent at ${timeLabel(event.tUs)}`,
      end: "open",
      ...(this.rows.rows[row]!.kind === "moment" && { label: segmentLabels(record, relative) }),
    };
    this.flights.push(flight);
    this.#copies.set(event.segment, new Map([[1, flight]]));
  }

  /** The copy that an event is about. One that nobody announced goes on from where the first one is. */
  #copy({ segment, copy = 1 }: SegmentEvent): Flight | undefined {
    const copies = this.#copies.get(segment);
    const first = copies?.get(1);
    if (!copies || !first) return undefined;
    let flight = copies.get(copy);
    if (!flight) {
      const { label: _, ...shared } = first;
      flight = { ...shared, stops: [first.stops.at(-1)!], end: "open" };
      copies.set(copy, flight);
      this.flights.push(flight);
    }
    return flight;
  }

  #text(event: SegmentEvent, row: number, flight: Flight): void {
    const look = MARKS[event.fate] === "lost" ? "bad" : "did";
    const changed = event.packet ? `: ${segmentLabel(event.packet, this.#numbers.get(event.n)!)}` : "";
    const runs: Run[] = [{ text: `${fateWords(event).brief}${copyLabel(event)}${changed}`, look }];
    const rule = ruleLabel(event);
    if (rule) runs.push({ text: rule, look: "dim" });
    this.texts.push({ row, side: flight.side === 0 ? 1 : 0, runs });
  }

  /** A column of the gutter for one that is held, until it is released. */
  #column(): number {
    let column = this.#taken.indexOf(false);
    if (column < 0) column = this.#taken.length;
    this.#taken[column] = true;
    this.columns = Math.max(this.columns, column);
    return column;
  }

  #wireActs(event: SegmentEvent, row: number): void {
    const original = event.fate === "duplicated" ? this.#copies.get(event.segment)?.get(1) : this.#copy(event);
    if (!original) return;
    this.#text(event, row, original);
    const before = original.stops.at(-1)!;
    const stop: Stop = { row, at: "gutter", column: 0, line: before.line, mark: MARKS[event.fate]! };
    if (event.fate === "released" && before.at === "gutter") {
      stop.column = before.column;
      stop.line = "waiting";
      this.#taken[before.column] = before.column === 0;
    } else if (stop.line === "waiting" || before.mark === "delayed") stop.line = "dashed";
    if (event.fate === "held") stop.column = this.#column();
    original.stops.push(stop);
    if (stop.mark === "lost") original.end = "lost";
    if (event.fate === "duplicated") this.#copy(event);
  }

  #delivered(event: SegmentEvent, row: number): void {
    const flight = this.#copy(event);
    if (!flight) return;
    const before = flight.stops.at(-1)!;
    const line = before.line === "waiting" || before.mark === "delayed" ? "dashed" : before.line;
    flight.stops.push({ row, at: "receiver", column: 0, line });
    flight.end = "arrived";
    flight.full += `; delivered at ${timeLabel(event.tUs)}`;
  }

  add(event: SegmentEvent): void {
    const row = this.rows.rowOf.get(event.n)!;
    if (event.fate === "sent") {
      if (event.packet) this.#sent(event, event.packet);
    } else if (event.fate === "delivered") this.#delivered(event, row);
    else this.#wireActs(event, row);
  }
}

/** Follows all segments; those that are wholly in folded rows have no flight. */
export function makeWire(trace: Trace, rows: Rows): Wire {
  const builder = new WireBuilder(trace, rows);
  for (const event of trace.events) if (event.kind === "segment") builder.add(event);
  const isFolded = ({ row }: Stop) => rows.rows[row]!.kind === "fold";
  return {
    flights: builder.flights.filter(({ stops }) => !stops.every(isFolded)),
    texts: builder.texts,
    columns: builder.columns,
  };
}

/** The widest text that a half of the wire has to hold, in cells. */
export function widestText({ flights, texts }: Wire): number {
  const ofFlights = flights.map(({ label }) => cells(label?.[0] ?? ""));
  return [...ofFlights, ...texts.map(({ runs }) => cells(textOf(runs)))].reduce((a, b) => Math.max(a, b), 0);
}
