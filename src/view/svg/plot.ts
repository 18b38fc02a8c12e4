/** How often something goes wrong as a setting changes, as an SVG document. */
import { escapeForHtml } from "../escape.ts";
import { percent, type Plot } from "../plot.ts";
import { colourStyle, SANS } from "./style.ts";

const SIZE = { width: 720, height: 400 };
const FRAME = { left: 64, right: 24, top: 76, bottom: 64 };
/** Labels of values no closer than this, px. */
const LABEL_PX = 64;
const SHARES = [0, 0.25, 0.5, 0.75, 1];

const STYLE = `.plot{font:13px ${SANS};fill:var(--ink)}
.plot .paper{fill:var(--paper)}
.plot .title{font:600 18px ${SANS}}
.plot .dim{fill:var(--dim)}
.plot .grid{stroke:var(--rule)}
.plot .line{fill:none;stroke:var(--red);stroke-width:2;stroke-linejoin:round}
.plot .dot{fill:var(--red)}`;

function text(x: number, y: number, content: string, more = ""): string {
  return `<text x="${x}" y="${y}"${more}>${escapeForHtml(content)}</text>`;
}

/** Light or dark as the reader prefers. */
export function drawPlotSvg({ title, setting, conditions, points }: Plot): string {
  const { width, height } = SIZE;
  const plotWidth = width - FRAME.left - FRAME.right;
  const plotHeight = height - FRAME.top - FRAME.bottom;
  const x = (i: number) => FRAME.left + (points.length === 1 ? plotWidth / 2 : (i * plotWidth) / (points.length - 1));
  const y = (share: number) => FRAME.top + (1 - share) * plotHeight;
  const round = (value: number) => Number(value.toFixed(1));
  const every = Math.max(1, Math.ceil((LABEL_PX * points.length) / plotWidth));
  const places = points.map(({ wrong, runs }, i) => [round(x(i)), round(y(wrong / runs))] as const);
  const about = points.map(({ label, wrong, runs }) => `${setting} ${label}: ${wrong} of ${runs}`).join("; ");
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" class="plot" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="plot-title plot-desc">`,
    `<title id="plot-title">${escapeForHtml(title)}</title>`,
    `<desc id="plot-desc">How often it went wrong. ${escapeForHtml(about)}.</desc>`,
    `<style>${colourStyle("svg.plot")}\n${STYLE}</style>`,
    `<rect width="${width}" height="${height}" class="paper"/>`,
    text(FRAME.left, 34, title, ' class="title"'),
    text(FRAME.left, 56, conditions, ' class="dim"'),
    ...SHARES.flatMap((share) => [
      `<line class="grid" x1="${FRAME.left}" y1="${y(share)}" x2="${width - FRAME.right}" y2="${y(share)}"/>`,
      text(FRAME.left - 8, y(share) + 4, percent(share), ' class="dim" text-anchor="end"'),
    ]),
    ...points.flatMap(({ label }, i) =>
      i % every === 0
        ? [text(round(x(i)), height - FRAME.bottom + 20, label, ' class="dim" text-anchor="middle"')]
        : [],
    ),
    text(FRAME.left + plotWidth / 2, height - 18, setting, ' text-anchor="middle"'),
    `<polyline class="line" points="${places.map((place) => place.join(",")).join(" ")}"/>`,
    ...places.map(
      ([cx, cy], i) =>
        `<circle class="dot" cx="${cx}" cy="${cy}" r="4"><title>${escapeForHtml(`${setting} ${points[i]!.label}: ${points[i]!.wrong} of ${points[i]!.runs}`)}</title></circle>`,
    ),
    "</svg>",
  ];
  return `${parts.join("\n")}\n`;
}
