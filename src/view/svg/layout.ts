/** Where the columns of a ladder are. All lengths are in pixels. */
import type { Trace } from "../../trace/trace.ts";
import { makeBoxes, marginsOf, PADDING, type RowBox } from "./boxes.ts";
import { widestText, type Wire } from "./flights.ts";
import { makeLanes, type Band } from "./lanes.ts";
import type { Rows } from "./rows.ts";
import { CELL_PX, cells, textOf } from "./text.ts";

export const TIME_WIDTH = 76;
const GAP = 14;
const LANE_PITCH = 100;
export const BAND_WIDTH = 96;
/** Between a life line and its first lane. */
const LIFE_GAP = 8;

const MARGIN_CELLS = { least: 18, most: 34 };
/** Of one half of the wire: labels of what a host sends are in its half. */
const HALF_CELLS = { least: 20, most: 28 };
/** Of a half, beside its label. */
const HALF_PADDING = 26;
const GUTTER = { base: 36, column: 16 };

export interface Layout {
  trace: Trace;
  boxes: RowBox[];
  bands: Band[];
  width: number;
  height: number;
  /** Of both life lines. */
  lifeX: readonly [number, number];
  /** The outer edges of the lanes: the margins' texts begin there. */
  edgeX: readonly [number, number];
  /** The part of the wire that has no labels: its edges, and its columns from `x` on. */
  gutter: { left: number; right: number; x(column: number): number };
  /** How many cells a label in a half of the wire may take. */
  halfCells: number;
  /** The left edge of a band. */
  bandX(band: Band): number;
}

const clamp = (value: number, { least, most }: { least: number; most: number }) =>
  Math.min(Math.max(value, least), most);

/** How many cells each margin has. */
function measureMargins(trace: Trace, { rows }: Rows): [number, number] {
  const widest: [number, number] = [0, 0];
  for (const row of rows) {
    for (const [side, runs] of marginsOf(trace, row)) widest[side] = Math.max(widest[side], cells(textOf(runs)));
  }
  return [clamp(widest[0], MARGIN_CELLS), clamp(widest[1], MARGIN_CELLS)];
}

/** `header`: how much room to leave above the first row, given the width. */
export function makeLayout(trace: Trace, rows: Rows, wire: Wire, header: (width: number) => number): Layout {
  const { bands, counts } = makeLanes(trace, rows);
  const marginCells = measureMargins(trace, rows);
  const halfCells = clamp(widestText(wire), HALF_CELLS);
  const half = halfCells * CELL_PX + HALF_PADDING;

  const leftEdge = PADDING + TIME_WIDTH + GAP + marginCells[0] * CELL_PX + GAP;
  const leftLife = leftEdge + counts[0] * LANE_PITCH + LIFE_GAP;
  const rightLife = leftLife + 2 * half + GUTTER.base + wire.columns * GUTTER.column;
  const rightEdge = rightLife + LIFE_GAP + counts[1] * LANE_PITCH;
  const width = Math.ceil(rightEdge + GAP + marginCells[1] * CELL_PX + PADDING);

  const top = header(width);
  const rooms = { marginCells, halfCells, width };
  const boxes = makeBoxes(trace, rows.rows, { bands, texts: wire.texts }, rooms, top);
  const last = boxes.at(-1);
  return {
    trace,
    boxes,
    bands,
    width,
    height: (last ? last.top + last.height : top) + PADDING,
    lifeX: [leftLife, rightLife],
    edgeX: [leftEdge, rightEdge],
    gutter: {
      left: leftLife + half,
      right: rightLife - half,
      x: (column) => leftLife + half + GUTTER.base / 2 + column * GUTTER.column,
    },
    halfCells,
    bandX: ({ side, lane }) =>
      side === 0 ? leftLife - LIFE_GAP - lane * LANE_PITCH - BAND_WIDTH : rightLife + LIFE_GAP + lane * LANE_PITCH,
  };
}
