/** Segments on the wire: lines, what the wire did to them, and words. */
import { trafficLabel } from "../fold.ts";
import type { Point } from "./geometry.ts";
import { WIRE_RISE } from "./boxes.ts";
import { sideOf } from "./lanes.ts";
import type { Layout } from "./layout.ts";
import { drawText, LINE_PX, px } from "./text.ts";
import type { Way } from "./ways.ts";
import { escapeMarkup } from "../escape.ts";

const HEAD_LENGTH = 9;
const HEAD_HALF_WIDTH = 4;

const at = ({ x, y }: Point) => `${px(x)} ${px(y)}`;

/** A head at the end of the line from `from` to `to`, and the line's new end. */
function arrowHead(from: Point, to: Point): { head: string; end: Point } {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const [dx, dy] = [(to.x - from.x) / length, (to.y - from.y) / length];
  const end = { x: to.x - dx * HEAD_LENGTH, y: to.y - dy * HEAD_LENGTH };
  const corner = (side: number) => ({ x: end.x - side * dy * HEAD_HALF_WIDTH, y: end.y + side * dx * HEAD_HALF_WIDTH });
  return { head: `<path d="M${at(to)} ${at(corner(1))} ${at(corner(-1))}Z" class="head"/>`, end };
}

function drawMark({ x, y, mark }: Way["points"][number]): string {
  const place = `transform="translate(${px(x)} ${px(y)})"`;
  switch (mark) {
    case "lost":
      return `<path ${place} d="M-5 -5 5 5M5 -5 -5 5" class="cross"/>`;
    case "forked":
      return `<circle ${place} r="4.5" class="fork"/>`;
    case "changed":
      return `<path ${place} d="M0 -6 6 0 0 6 -6 0Z" class="mark"/>`;
    case "held":
      return `<path ${place} d="M-6 -5.5H6M-6 5.5H6M-6 -5.5V5.5H6V-5.5" class="mark"/>`;
    case "released":
    case "delayed":
      return `<circle ${place} r="4.5" class="mark"/>`;
    default:
      return "";
  }
}

function drawWay({ flight, points }: Way): string {
  const parts: string[] = [];
  for (const [i, point] of points.entries()) {
    if (i === 0) continue;
    const from = points[i - 1]!;
    const arrives = i === points.length - 1 && flight.end === "arrived";
    const { head, end } = arrives ? arrowHead(from, point) : { head: "", end: point };
    const look = point.line === "solid" ? "line" : `line ${point.line}`;
    parts.push(`<path d="M${at(from)} ${at(end)}" class="${look}"/>${head}`);
  }
  const last = points.at(-1)!;
  if (flight.end === "open" && last.mark === undefined) parts.push(drawMark({ ...last, mark: "released" }));
  const title = flight.end === "open" ? `${flight.full}; on its way when the trace ends` : flight.full;
  return `<g class="m-${flight.meaning}"><title>${escapeMarkup(title)}</title>${parts.join("")}${points.map(drawMark).join("")}</g>`;
}

export function drawWays(ways: readonly Way[]): string[] {
  return ways.map(drawWay);
}

export function drawLabels(ways: readonly Way[]): string[] {
  return ways.map(({ flight, label }) => {
    if (!label) return "";
    const { text, x, y, turn } = label;
    const anchor = flight.side === 0 ? ("start" as const) : ("end" as const);
    const drawn = drawText([{ text }], { x, y, turn, anchor, look: "label", title: flight.full });
    return `<g class="m-${flight.meaning}">${drawn}</g>`;
  });
}

/** Words about what the wire did, beside the gutter. */
export function drawWireTexts({ gutter, boxes }: Layout): string[] {
  return boxes.flatMap(({ y, wire }) => {
    if (!wire) return [];
    const { side, text, full } = wire;
    const x = side === 0 ? gutter.left - 4 : gutter.right + 4;
    const anchor = side === 0 ? ("end" as const) : ("start" as const);
    return text.map((runs, i) => {
      const above = WIRE_RISE + (text.length - 1 - i) * LINE_PX;
      return drawText(runs, { x, y: y - above, anchor, look: "halo", title: full });
    });
  });
}

/** Bulk transfer as one broad arrow, its head where most of the bytes go. */
export function drawFolds({ trace, lifeX, boxes }: Layout): string[] {
  return boxes.flatMap(({ row, top, height, y }) => {
    if (row.kind !== "fold") return [];
    const [first] = row.fold.traffic;
    const [left, right, middle] = [lifeX[0] + 4, lifeX[1] - 4, top + height / 2];
    const half = height / 2 - 4;
    const fromLeft = sideOf(trace, first?.from ?? "") === 0;
    const [tail, tip, inner] = fromLeft ? [left, right, right - half] : [right, left, left + half];
    const shape = [
      { x: tail, y: middle - half },
      { x: inner, y: middle - half },
      { x: tip, y: middle },
      { x: inner, y: middle + half },
      { x: tail, y: middle + half },
    ];
    const center = { x: (left + right) / 2, anchor: "middle" as const };
    const words = row.fold.traffic.map(
      (traffic) => `… ${trafficLabel(traffic)} ${sideOf(trace, traffic.from) === 0 ? "→" : "←"}`,
    );
    const lineY = (i: number) => y + 6 + (i - (words.length - 1) / 2) * LINE_PX;
    return [
      `<g class="m-data"><path d="M${shape.map(at).join(" ")}Z" class="bulk"/>`,
      ...words.map((text, i) => drawText([{ text }], { ...center, y: lineY(i), look: i === 0 ? "label" : "dim" })),
      "</g>",
    ];
  });
}
