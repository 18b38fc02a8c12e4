/** Everything but the wire: hosts, life lines, bands, margins, and words across the whole width. */
import { escapeForTerminal, escapeMarkup } from "../escape.ts";
import { durationLabel, endpointLabel, stateLabel, timeLabel } from "../labels.ts";
import type { TraceSocket } from "../../trace/trace.ts";
import { sideOf, type Band, type Stay } from "./lanes.ts";
import { PADDING, stayTexts, type Lines, type RowBox } from "./boxes.ts";
import { BAND_WIDTH, TIME_WIDTH, type Layout } from "./layout.ts";
import { STATE_MEANING } from "./style.ts";
import { CELL_PX, drawText, LINE_PX, px, shorten, textOf, widthPx } from "./text.ts";

/** From a row's anchor down to its baseline. */
const BASELINE = 4;
const HOST_CELL_PX = 12;

function rect(x: number, y: number, width: number, height: number, look: string, radius = 0): string {
  const round = radius > 0 ? ` rx="${radius}"` : "";
  return `<rect x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${px(height)}"${round} class="${look}"/>`;
}

function line(x1: number, y1: number, x2: number, y2: number, look: string): string {
  return `<line x1="${px(x1)}" y1="${px(y1)}" x2="${px(x2)}" y2="${px(y2)}" class="${look}"/>`;
}

/** The hosts' names and addresses above their life lines. */
export function drawHosts({ lifeX, trace, width }: Layout, y: number): string[] {
  const room = 2 * Math.min(lifeX[0], width - lifeX[1], (lifeX[1] - lifeX[0]) / 2) - 2 * PADDING;
  return ([0, 1] as const).flatMap((side) => {
    const hosts = trace.hosts.filter(({ name }) => sideOf(trace, name) === side);
    const names = escapeForTerminal(hosts.map(({ name }) => name).join(", "));
    const addresses = escapeForTerminal(hosts.flatMap((host) => host.addresses).join(", "));
    const place = { x: lifeX[side], anchor: "middle" } as const;
    const name = [{ text: shorten(names, Math.floor(room / HOST_CELL_PX)) }];
    const address = [{ text: shorten(addresses, Math.floor(room / CELL_PX)) }];
    return [
      drawText(name, { ...place, y, look: "host", title: names, sans: true }),
      drawText(address, { ...place, y: y + 18, look: "dim", title: addresses }),
    ];
  });
}

function drawStay(layout: Layout, band: Band, stay: Stay, socket: TraceSocket | undefined): string {
  const x = layout.bandX(band);
  const from = layout.boxes[stay.fromRow]!;
  const top = from.top + 3;
  const next = layout.boxes[stay.toRow];
  const bottom = next ? next.top + 1 : layout.height - PADDING - 2;
  const ends = socket ? ` (${endpointLabel(socket.local)} to ${endpointLabel(socket.peer)})` : "";
  const label = stateLabel({ to: stay.state, ...(stay.timer && { timer: stay.timer }) });
  const title = `${escapeForTerminal(band.socket)}${ends}: ${label}`;
  const inner = band.side === 0 ? x + BAND_WIDTH - 3 : x;
  const texts = stayTexts(band, stay).map(({ text, look }, i) =>
    drawText([{ text }], { x: x + BAND_WIDTH / 2, y: from.y + BASELINE + i * LINE_PX, anchor: "middle", look }),
  );
  return [
    `<g class="s-${STATE_MEANING[stay.state]}"><title>${escapeMarkup(title)}</title>`,
    rect(x, top, BAND_WIDTH, bottom - top, "stay", 4),
    rect(inner, top, 3, bottom - top, "side", 1.5),
    ...texts,
    "</g>",
  ].join("");
}

export function drawBands(layout: Layout): string[] {
  const sockets = new Map(layout.trace.sockets.map((socket) => [socket.id, socket]));
  return layout.bands.flatMap((band) => {
    const stays = band.stays.map((stay) => drawStay(layout, band, stay, sockets.get(band.socket)));
    if (band.closedRow === undefined) return stays;
    const y = layout.boxes[band.closedRow]!.y + BASELINE;
    const x = layout.bandX(band) + BAND_WIDTH / 2;
    const title = `${escapeForTerminal(band.socket)}: CLOSED`;
    return [...stays, drawText([{ text: "CLOSED" }], { x, y, anchor: "middle", look: "closed", title })];
  });
}

/** What the margin says beside a row: tied to the host by a dot. */
function drawMargin({ edgeX }: Layout, { y }: RowBox, { side, text, full }: Lines): string[] {
  const outwards = side === 0 ? -1 : 1;
  const anchor = side === 0 ? ("end" as const) : ("start" as const);
  return [
    `<circle cx="${px(edgeX[side] + outwards * 5)}" cy="${px(y)}" r="2.5" class="dot"/>`,
    ...text.map((runs, i) =>
      drawText(runs, { x: edgeX[side] + outwards * 14, y: y + BASELINE + i * LINE_PX, anchor, title: full }),
    ),
  ];
}

/** Times and margins. A faint line leads from the time to what happened then. */
export function drawMoments(layout: Layout): string[] {
  let shownTime = "";
  return layout.boxes.flatMap((box) => {
    const { row, y, lines } = box;
    if (row.kind !== "moment" && row.kind !== "fold") return [];
    const time = timeLabel(row.tUs);
    const isNew = time !== shownTime;
    shownTime = time;
    const left = lines.find(({ side }) => side === 0)?.text[0];
    const from = PADDING + TIME_WIDTH + 8;
    const to = layout.edgeX[0] - (left ? 20 + widthPx(textOf(left)) : 4);
    return [
      isNew
        ? drawText([{ text: time }], { x: PADDING + TIME_WIDTH, y: y + BASELINE, anchor: "end", look: "time" })
        : "",
      isNew && to > from ? line(from, y, to, y, "guide") : "",
      ...lines.flatMap((each) => drawMargin(layout, box, each)),
    ];
  });
}

/** A bar behind words of the story, of an expectation or of a setting, which interrupts the bands. */
export function drawBars(layout: Layout): string[] {
  const width = layout.width - 2 * PADDING;
  return layout.boxes.flatMap(({ row, top, height }) => {
    if (row.kind === "pause") return [rect(PADDING, top, width, height, "paper")];
    if (row.kind !== "note") return [];
    const margin = row.note.about === "story" ? 8 : 4;
    return [
      rect(PADDING, top, width, height, "paper"),
      rect(PADDING, top + margin, width, height - 2 * margin, "bar", 6),
    ];
  });
}

function drawMet(x: number, y: number, met: boolean): string {
  const sign = met ? "M-3.5 .2 -1 2.8 3.6 -2.6" : "M-2.8 -2.8 2.8 2.8M2.8 -2.8 -2.8 2.8";
  const circle = `<circle r="8" class="${met ? "met" : "unmet"}"/><path d="${sign}" class="tick"/>`;
  return `<g transform="translate(${px(x)} ${px(y)})"><title>${met ? "met" : "not met"}</title>${circle}</g>`;
}

export function drawNotes(layout: Layout): string[] {
  return layout.boxes.flatMap(({ row, top, height, y, lines }) => {
    if (row.kind !== "note") return [];
    const { about, met } = row.note;
    const story = about === "story";
    const sign =
      about === "expectation"
        ? drawMet(PADDING + 18, y - 1, met ?? false)
        : story
          ? rect(PADDING, top + 8, 4, height - 16, "accent", 2)
          : "";
    const [{ text, full }] = lines as [Lines];
    const words = text.map((runs, i) =>
      drawText(runs, {
        x: PADDING + (about === "expectation" ? 34 : 16),
        y: y + BASELINE + i * (story ? 20 : 17),
        look: story ? "heading" : "note",
        sans: true,
        title: full,
      }),
    );
    return [sign, ...words];
  });
}

export function drawLifeLines({ lifeX, height }: Layout, top: number): string[] {
  return lifeX.map((x) => line(x, top, x, height - PADDING, "life"));
}

/** Where time is left out: the life lines dotted, and how much it is. */
export function drawPauses({ lifeX, boxes }: Layout): string[] {
  const middle = (lifeX[0] + lifeX[1]) / 2;
  return boxes.flatMap(({ row, top, height, y }) => {
    if (row.kind !== "pause") return [];
    const text = `${durationLabel(row.us / 1000)} pass`;
    const width = widthPx(text) + 28;
    return [
      ...lifeX.map((x) => line(x, top + 5, x, top + height - 3, "gap")),
      rect(middle - width / 2, y - 13, width, 26, "bar", 13),
      drawText([{ text }], { x: middle, y: y + BASELINE, anchor: "middle", look: "dim" }),
    ];
  });
}
