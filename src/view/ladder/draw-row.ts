/** Rows as lines. */
import { timeLabel } from "../labels.ts";
import { drawPiece } from "./arrow.ts";
import type { Glyphs } from "./glyphs.ts";
import type { Item } from "./items.ts";
import { fullWidth, type Layout } from "./layout.ts";
import type { Row, Side, Step } from "./rows.ts";
import { otherSide } from "./rows.ts";
import { blank, clip, type Line, lineWidth, type Span, textWidth, wrap } from "./text.ts";

/** So many lines of a margin for one item: at 80 columns a call with its result needs them all. */
const ITEM_LINES = 5;

/** An item in `room` columns. */
function itemLines({ texts, style }: Item, room: number, glyphs: Glyphs): Span[] {
  const spelt = texts.map((text) => glyphs.spell(text));
  const fitting = spelt.find((text) => textWidth(text) <= room);
  const lines = fitting === undefined ? wrap(spelt.at(-1)!, room) : [fitting];
  const ellipsis = glyphs.spell("…");
  const shown = lines.slice(0, ITEM_LINES);
  if (lines.length > ITEM_LINES) {
    shown[ITEM_LINES - 1] =
      clip(`${shown[ITEM_LINES - 1]} ${lines[ITEM_LINES]}`, room - textWidth(ellipsis), "") + ellipsis;
  }
  return shown.map((text) => ({ text, style }));
}

interface Column {
  lines: Span[];
  /** In which of the lines the arrow is, on the side that sends: beside the state that came with it, or the last call. */
  arrowAt: number;
}

function column(items: readonly Item[], before: number, room: number, glyphs: Glyphs): Column {
  const lines: Span[] = [];
  const firstState = items.findIndex(({ isState }) => isState);
  const stateWithArrow = firstState >= 0 && firstState <= before;
  let arrowAt = 0;
  for (const [i, item] of items.entries()) {
    if (stateWithArrow && i === firstState) arrowAt = lines.length;
    lines.push(...itemLines(item, room, glyphs));
    if (!stateWithArrow && i === before - 1) arrowAt = lines.length - 1;
  }
  return { lines, arrowAt };
}

function padded(span: Span | undefined, width: number, side: Side): Line {
  const space = blank(width - textWidth(span?.text ?? ""));
  if (!span) return [space];
  return side === "left" ? [space, span] : [span, space];
}

function timeSpan(text: string, { time }: Layout): Span {
  return { text: `${text.padStart(time)} `, style: "dim" };
}

/** A line of the diagram. `middle` is as wide as the layout has it. */
function besideLives(
  time: string,
  left: Span | undefined,
  middle: Line,
  right: Span | undefined,
  layout: Layout,
  glyphs: Glyphs,
): Line {
  const life: Span = { text: glyphs.lifeLine, style: "dim" };
  const [before, after] = [padded(left, layout.margin, "left"), padded(right, layout.margin, "right")];
  return [timeSpan(time, layout), ...before, blank(1), life, ...middle, life, blank(1), ...after];
}

function drawStep(step: Step, layout: Layout, glyphs: Glyphs, time: string): Line[] {
  const { piece, before } = step;
  const from = piece?.from ?? "left";
  const sending = column(step[from], before, layout.margin, glyphs);
  const getting = column(step[otherSide(from)], 0, layout.margin, glyphs).lines;
  const arrowAt = piece ? sending.arrowAt : 0;
  const count = Math.max(sending.lines.length, getting.length + arrowAt, 1);
  return Array.from({ length: count }, (_, i) => {
    const beside = { [from]: sending.lines[i], [otherSide(from)]: getting[i - arrowAt] };
    const middle = piece && i === arrowAt ? drawPiece(piece, layout.middle, glyphs) : blank(layout.middle);
    return besideLives(i === 0 ? time : "", beside["left"], [middle], beside["right"], layout, glyphs);
  });
}

/** Words across all, their first line led in and their last drawn out by a stroke. */
function drawHeading(text: string, layout: Layout, glyphs: Glyphs): Line[] {
  const width = fullWidth(layout);
  const lead = glyphs.stroke.repeat(2);
  const lines = wrap(glyphs.spell(text), Math.max(1, width - 4));
  return lines.map((words, i) => {
    const line: Span[] = [
      { text: i === 0 ? `${lead} ` : "   ", style: "dim" },
      { text: words, style: "heading" },
    ];
    const rest = width - lineWidth(line) - 1;
    if (i === lines.length - 1 && rest > 0) line.push({ text: ` ${glyphs.stroke.repeat(rest)}`, style: "dim" });
    return line;
  });
}

function drawWide(text: string, layout: Layout, glyphs: Glyphs, time: string): Line[] {
  const lead = glyphs.spell("· ");
  const lines = wrap(glyphs.spell(text), Math.max(1, fullWidth(layout) - layout.time - 1 - textWidth(lead)));
  return lines.map((words, i) => [
    timeSpan(i === 0 ? time : "", layout),
    { text: (i === 0 ? lead : "  ") + words, style: "dim" },
  ]);
}

/** What it stands for: calls in the margins, segments between the life lines. */
function drawFold(row: Extract<Row, { kind: "fold" }>, layout: Layout, glyphs: Glyphs, time: string): Line[] {
  const broken = (texts: readonly string[], room: number): Span[] =>
    texts.flatMap((text) => wrap(glyphs.spell(text), room)).map((text) => ({ text }));
  const left = broken(row.left, layout.margin);
  const middle = broken(row.middle, layout.middle - 2);
  const right = broken(row.right, layout.margin);
  const count = Math.max(left.length, middle.length, right.length, 1);
  return Array.from({ length: count }, (_, i) =>
    besideLives(i === 0 ? time : "", left[i], centred(middle[i], layout.middle), right[i], layout, glyphs),
  );
}

function centred(span: Span | undefined, width: number): Line {
  const rest = width - textWidth(span?.text ?? "");
  return [blank(rest >> 1), span ?? blank(0), blank(rest - (rest >> 1))];
}

/** Time that nothing happened in for so long is shown to have gone by. */
const GAP_US = 1_000_000;

function drawGap({ margin, middle, time }: Layout, { gap }: Glyphs): Line {
  return [blank(time + 1 + margin + 1), { text: gap, style: "dim" }, blank(middle), { text: gap, style: "dim" }];
}

function drawRow(row: Row, layout: Layout, glyphs: Glyphs, time: string): Line[] {
  switch (row.kind) {
    case "step":
      return drawStep(row, layout, glyphs, time);
    case "heading":
      return drawHeading(row.text, layout, glyphs);
    case "wide":
      return drawWide(row.text, layout, glyphs, time);
    case "fold":
      return drawFold(row, layout, glyphs, time);
  }
}

/** The lines of all rows; a time that is the same as in the row before is not repeated. */
export function drawRows(rows: readonly Row[], layout: Layout, glyphs: Glyphs): Line[] {
  const lines: Line[] = [];
  let shown = "";
  let lastUs = 0;
  for (const row of rows) {
    let time = "";
    if (row.kind !== "heading") {
      if (row.tUs - lastUs >= GAP_US) lines.push(drawGap(layout, glyphs));
      time = timeLabel(row.tUs);
      lastUs = "lastUs" in row ? row.lastUs : row.tUs;
    }
    lines.push(...drawRow(row, layout, glyphs, time === shown ? "" : time));
    if (time !== "") shown = time;
  }
  return lines;
}
