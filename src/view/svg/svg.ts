/** A trace as a ladder: a time-sequence diagram, as an SVG document or as a part of a page. */
import type { Trace } from "../../trace/trace.ts";
import { escapeForHtml, escapeForTerminal } from "../escape.ts";
import { bytesLabel, countLabel } from "../labels.ts";
import { drawBands, drawBars, drawHosts, drawLifeLines, drawMoments, drawNotes, drawPauses } from "./draw-hosts.ts";
import { drawFolds, drawLabels, drawWays, drawWireTexts } from "./draw-wire.ts";
import { PADDING } from "./boxes.ts";
import { makeWire } from "./flights.ts";
import { makeLayout } from "./layout.ts";
import { makeRows } from "./rows.ts";
import { colourStyle, LADDER_STYLE } from "./style.ts";
import { drawText, wrap, type Run } from "./text.ts";
import { makeWays } from "./ways.ts";

export interface SvgOptions {
  /**
   * Makes it a part of an HTML page, with ids that begin with this (letters, digits and `-`). The page has to have
   * {@link LADDER_STYLE} and {@link colourStyle}, and to say what experiment it is. The drawing's natural width is its
   * custom property `--natural`.
   */
  idInPage?: string;
}

const TITLE_CELL_PX = 14;
const HOSTS_HEIGHT = 56;

function describe({ events, hosts, sockets, system }: Trace): string {
  const sent = events.filter((event) => event.kind === "segment" && event.fate === "sent");
  const bytes = sent.reduce((sum, event) => sum + ((event.kind === "segment" && event.packet?.payloadLength) || 0), 0);
  const counts = `${countLabel(events.length)} events, ${countLabel(sent.length)} segments with ${bytesLabel(bytes)}`;
  const names = hosts.map(({ name }) => name).join(" and ");
  return `Time runs downwards, between ${names}. ${counts}, ${countLabel(sockets.length)} sockets. ${system}.`;
}

/**
 * The ladder: life lines of the hosts, states of their sockets as bands, segments as arrows, calls in the margins, and the
 * story as headings. Light or dark as the reader prefers. Runs of bulk transfer are folded into a row.
 */
export function drawSvg(trace: Trace, { idInPage }: SvgOptions = {}): string {
  const rows = makeRows(trace.events);
  const wire = makeWire(trace, rows);
  const title = escapeForTerminal(trace.experiment.title);
  let titleLines: Run[][] = [];
  let top = PADDING + HOSTS_HEIGHT;
  const layout = makeLayout(trace, rows, wire, (widthPx) => {
    const room = Math.floor((widthPx - 2 * PADDING) / TITLE_CELL_PX);
    if (idInPage === undefined) titleLines = wrap([{ text: title }], room, 4);
    top += titleLines.length * 28;
    return top;
  });
  const ways = makeWays(layout, wire.flights);
  const id = idInPage ?? "ladder";
  const { width, height } = layout;
  const inPage = idInPage === undefined ? "" : ` style="--natural:${width}px"`;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" class="ladder" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img"${inPage} aria-labelledby="${id}-title ${id}-desc">`,
    `<title id="${id}-title">${escapeForHtml(trace.experiment.title)}</title>`,
    `<desc id="${id}-desc">${escapeForHtml(describe(trace))}</desc>`,
    idInPage === undefined ? `<style>${colourStyle("svg.ladder")}\n${LADDER_STYLE}</style>` : "",
    `<rect width="${width}" height="${height}" class="paper"/>`,
    ...titleLines.map((runs, i) =>
      drawText(runs, { x: PADDING, y: PADDING + 20 + i * 28, look: "title", title, sans: true }),
    ),
    ...drawHosts(layout, top - 34),
    ...drawBands(layout),
    ...drawLifeLines(layout, top - 8),
    ...drawBars(layout),
    ...drawFolds(layout),
    ...drawWays(ways),
    ...drawMoments(layout),
    ...drawNotes(layout),
    ...drawPauses(layout),
    ...drawWireTexts(layout),
    ...drawLabels(ways),
    "</svg>",
  ];
  return `${parts.filter(Boolean).join("\n")}\n`;
}
