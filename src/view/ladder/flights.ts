/** The ways of segments between the two life lines: straight in one row, or in pieces where something came between. */
import type { RelativeNumbers } from "../../codec/numbering.ts";
import type { SegmentEvent, SegmentRecord } from "../../trace/trace.ts";
import { fateWords, ruleLabel } from "../fates.ts";
import { segmentLabels } from "../labels.ts";
import { type Piece, type Rows, type Side, type Step } from "./rows.ts";

/** A copy of a segment that is not yet at its end. */
interface Flight {
  from: Side;
  record: SegmentRecord;
  relative: RelativeNumbers;
  labels: readonly string[];
  /** Which segment it is, in the rows that show parts of its way; the longest first. */
  tags: readonly string[];
  /** The row of the piece whose head is not known yet. */
  step?: Step | undefined;
  /** What the next piece begins with. */
  tail: Piece["tail"];
}

/** What became of a segment that goes no further, the longest first. */
function lossTexts(event: SegmentEvent): string[] {
  const { full, brief, least } = fateWords(event);
  return [...new Set([`${full}${ruleLabel(event)}`, full, brief, least])];
}

export class Flights {
  /** By `segment/copy`. */
  readonly #flights = new Map<string, Flight>();
  /** The newest connection of each side's segments, by ports and addresses. */
  readonly #newest = new Map<string, number>();
  readonly #rows: Rows;

  constructor(rows: Rows) {
    this.#rows = rows;
  }

  sent(event: SegmentEvent, record: SegmentRecord, relative: RelativeNumbers, from: Side): void {
    const flight = this.foldedSent(event, record, relative, from);
    flight.step = this.#rows.send(event.tUs, this.#piece(flight, "host"));
  }

  /** It is sent, and a row that stands for many events says so. */
  foldedSent({ segment }: SegmentEvent, record: SegmentRecord, relative: RelativeNumbers, from: Side): Flight {
    const labels = segmentLabels(record, relative);
    const flight: Flight = { from, record, relative, labels, tags: [`#${segment}`], tail: "flight" };
    this.#newest.set(this.#connection(record), relative.incarnation);
    this.#flights.set(`${segment}/1`, flight);
    return flight;
  }

  /** It was delayed, or arrives, and a row that stands for many events says so. */
  foldedFate(event: SegmentEvent): void {
    const flight = this.#flight(event);
    if (!flight) return;
    this.#leaveOpenPiece(flight);
    flight.step = undefined;
    flight.tail = "flight";
  }

  /** What the wire did to a segment, which may then have other numbers, or that it arrived. False: it was never sent. */
  fate(event: SegmentEvent, relative: RelativeNumbers | undefined): boolean {
    const flight = this.#flight(event);
    if (!flight) return false;
    const { brief, least } = fateWords(event);
    switch (event.fate) {
      case "sent":
        return true;
      case "released":
        this.#leaveOpenPiece(flight);
        flight.step = this.#begin(flight, event.tUs, "held", ` ${brief}`);
        flight.tail = "flight";
        return true;
      case "delivered":
        this.#end(flight, event.tUs, "delivered");
        return true;
      case "dropped":
      case "expired":
        this.#end(flight, event.tUs, "lost", lossTexts(event));
        return true;
      case "held":
        this.#end(flight, event.tUs, "held", [brief]);
        return true;
      case "delayed":
        this.#end(flight, event.tUs, "flight", [brief, least]);
        return true;
      case "duplicated":
        this.#end(flight, event.tUs, "flight", [brief]);
        this.#copy(flight, event);
        return true;
      case "modified":
        this.#end(flight, event.tUs, "flight", [brief]);
        if (event.packet && relative) {
          flight.relative = relative;
          flight.record = event.packet;
          flight.labels = segmentLabels(event.packet, relative);
        }
        return true;
    }
  }

  /** To be called once, after the last event. */
  finish(): void {
    for (const { step } of this.#flights.values()) {
      if (!step?.piece) continue;
      step.piece.head = "flight";
      step.piece.headTexts = ["under way at the end", "under way"];
    }
  }

  #flight(event: SegmentEvent): Flight | undefined {
    const known = this.#flights.get(`${event.segment}/${event.fate === "duplicated" ? 1 : (event.copy ?? 1)}`);
    const first = this.#flights.get(`${event.segment}/1`);
    return known ?? (first && this.#copy(first, event));
  }

  #copy(first: Flight, { segment, copy = 2 }: SegmentEvent): Flight {
    const flight = {
      ...first,
      step: undefined,
      tail: "flight" as const,
      tags: [`#${segment} copy ${copy}`, `#${segment}/${copy}`],
    };
    this.#flights.set(`${segment}/${copy}`, flight);
    return flight;
  }

  #connection({ source, destination }: SegmentRecord): string {
    return `${source.address} ${source.port} ${destination.address} ${destination.port}`;
  }

  #piece(flight: Flight, tail: Piece["tail"], suffix = ""): Piece {
    const { from, record, relative, labels } = flight;
    const isOld = (this.#newest.get(this.#connection(record)) ?? 0) > relative.incarnation;
    return {
      from,
      labels: isOld ? labels.map((label) => `old ${label}`) : labels,
      tail,
      tailTexts: tail === "host" ? [] : flight.tags.map((tag) => tag + suffix),
      head: "under way",
      headTexts: [],
      tag: flight.tags.at(-1)!,
    };
  }

  #begin(flight: Flight, tUs: number, tail: Piece["tail"], suffix?: string): Step {
    const step = this.#rows.step(tUs);
    step.piece = this.#piece(flight, tail, suffix);
    return step;
  }

  /** Something came between: what is drawn so far ends in the wire. */
  #leaveOpenPiece({ step, tags }: Flight): void {
    if (!step?.piece) return;
    step.piece.head = "flight";
    step.piece.headTexts = this.#tagged(step.piece, [], tags);
  }

  /** What the wire did, and which segment it is, unless the piece's tail says that. */
  #tagged({ tail }: Piece, words: readonly string[], tags: readonly string[]): string[] {
    if (tail !== "host") return [...words];
    return words.length === 0 ? [...tags] : words.flatMap((word) => tags.map((tag) => `${word} ${tag}`));
  }

  #end(flight: Flight, tUs: number, head: Piece["head"], words: readonly string[] = []): void {
    let { step } = flight;
    if (!this.#rows.isOpen(step)) {
      this.#leaveOpenPiece(flight);
      step = this.#begin(flight, tUs, flight.tail);
    }
    const piece = step!.piece!;
    piece.head = head;
    const goesOn = head === "held" || head === "flight";
    piece.headTexts = goesOn ? this.#tagged(piece, words, flight.tags) : words;
    step!.lastUs = tUs;
    flight.step = undefined;
    flight.tail = head === "held" ? "held" : "flight";
  }
}
