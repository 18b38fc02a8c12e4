/** Rows of a ladder with their heights and lines of text. All lengths are in pixels. */
import type { Trace } from "../../trace/trace.ts";
import { escapeForTerminal } from "../escape.ts";
import { durationLabel } from "../labels.ts";
import type { WireText } from "./flights.ts";
import { sideOf, type Band, type Side, type Stay } from "./lanes.ts";
import type { Row } from "./rows.ts";
import { LINE_PX, shorten, wholeOf, wrap, type Run } from "./text.ts";

export const PADDING = 16;

/** A row of one line. Arrows leave and arrive {@link ANCHOR} below its top, and fall half of it within their half. */
export const ROW = 30;
const ANCHOR = 17;
/** Words about what the wire did are this much above the line, and need more room above. */
export const WIRE_RISE = 6;
const WIRE_ROOM = 5;

const BAND_CELLS = 13;
const MARGIN_LINES = 4;
const WIRE_LINES = 3;
const HEADING = { cellPx: 10.4, linePx: 20, heightPx: 52, yPx: 28 };
const NOTE = { cellPx: 8.6, linePx: 17, heightPx: 36, yPx: 19 };

/** Text in lines, and the whole of it. */
export interface Lines {
  side: Side;
  text: Run[][];
  full: string;
}

export interface RowBox {
  row: Row;
  top: number;
  height: number;
  /** Where arrows meet the life line, and dots are. */
  y: number;
  /** Of the margins, or of the words across the whole width. */
  lines: Lines[];
  /** What the wire did: in the receiver's half, above `y`. */
  wire?: Lines;
}

export interface Rooms {
  /** Of the margins, in cells. */
  marginCells: readonly number[];
  halfCells: number;
  /** Of the whole drawing, in pixels. */
  width: number;
}

/** What the margins hold: the host's side, and the runs. */
export function marginsOf(trace: Trace, row: Row): [Side, Run[]][] {
  if (row.kind === "moment" && row.margin) return [[sideOf(trace, row.host ?? ""), row.margin]];
  if (row.kind === "fold") return [...row.margins].map(([host, runs]) => [sideOf(trace, host), runs]);
  return [];
}

/** The texts in a band where a state begins: the state, the socket where the band begins, and the time left. */
export function stayTexts(band: Band, stay: Stay): { text: string; look: string }[] {
  const texts = [{ text: stay.state as string, look: "state" }];
  if (stay === band.stays[0]) texts.push({ text: escapeForTerminal(band.socket), look: "socket" });
  if (stay.timer?.kind === "timewait") texts.push({ text: `${durationLabel(stay.timer.leftMs)} left`, look: "left" });
  return texts.map(({ text, look }) => ({ text: shorten(text, BAND_CELLS), look }));
}

/** How many lines the bands need in each row that a state begins in. */
function bandLines(bands: readonly Band[]): Map<number, number> {
  const lines = new Map<number, number>();
  for (const band of bands) {
    for (const stay of band.stays) {
      lines.set(stay.fromRow, Math.max(lines.get(stay.fromRow) ?? 1, stayTexts(band, stay).length));
    }
  }
  return lines;
}

const linesOf = (side: Side, runs: readonly Run[], room: number, most: number): Lines => ({
  side,
  text: wrap(runs, room, most),
  full: wholeOf(runs),
});

/** How high a row is, and what is in it; `top` is not known yet. */
function fill(trace: Trace, row: Row, rooms: Rooms, wireText: WireText | undefined, most: number): RowBox {
  if (row.kind === "pause") return { row, top: 0, height: 46, y: 23, lines: [] };
  if (row.kind === "note") {
    const { cellPx, linePx, heightPx, yPx } = row.note.about === "story" ? HEADING : NOTE;
    const room = Math.floor((rooms.width - 2 * PADDING - 40) / cellPx);
    const lines = linesOf(0, [{ text: escapeForTerminal(row.note.text) }], room, 6);
    return { row, top: 0, height: heightPx + (lines.text.length - 1) * linePx, y: yPx, lines: [lines] };
  }
  const lines = marginsOf(trace, row).map(([side, runs]) =>
    linesOf(side, runs, rooms.marginCells[side]!, MARGIN_LINES),
  );
  const count = Math.max(1, most, ...lines.map(({ text }) => text.length));
  const height = ROW + (count - 1) * LINE_PX;
  if (row.kind === "fold") return { row, top: 0, height: Math.max(60, height), y: 28, lines };
  if (!wireText) return { row, top: 0, height, y: ANCHOR, lines };
  const wire = linesOf(wireText.side, wireText.runs, rooms.halfCells, WIRE_LINES);
  const above = WIRE_ROOM + (wire.text.length - 1) * LINE_PX;
  return { row, top: 0, height: height + above, y: ANCHOR + above, lines, wire };
}

/** The boxes of all rows, the first one at `top`. */
export function makeBoxes(
  trace: Trace,
  rows: readonly Row[],
  { bands, texts }: { bands: readonly Band[]; texts: readonly WireText[] },
  rooms: Rooms,
  top: number,
): RowBox[] {
  const lines = bandLines(bands);
  const wireTexts = new Map(texts.map((text) => [text.row, text]));
  let next = top;
  return rows.map((row, i) => {
    const box = fill(trace, row, rooms, wireTexts.get(i), lines.get(i) ?? 1);
    box.top = next;
    box.y += next;
    next += box.height;
    return box;
  });
}
