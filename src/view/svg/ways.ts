/**
 * Lines and labels on the wire. Every label begins in its own row, falls by half a row and stays in its sender's half, so
 * no two can meet. Where there is room for it, an arrow is straight instead, and its label turned with it.
 */
import { box, Crowd, turned, type Box, type Point } from "./geometry.ts";
import type { Flight, Stop } from "./flights.ts";
import { ROW } from "./boxes.ts";
import type { Layout } from "./layout.ts";
import { cells, shorten, widthPx } from "./text.ts";

/** From the life line to where a label begins, and from the line up to its baseline. */
const LABEL_START = 14;
const LABEL_RISE = 5;
const ASCENT = 11;
const DESCENT = 4;
/** Steeper arrows would turn their labels too far to be read with ease. */
const MAX_SLOPE = 0.55;

export interface Label {
  text: string;
  /** The baseline's point at the sender's side. */
  x: number;
  y: number;
  /** Degrees. */
  turn: number;
}

export interface Way {
  flight: Flight;
  points: (Point & Pick<Stop, "line" | "mark">)[];
  label?: Label;
}

function pointOf(layout: Layout, { side }: Flight, { row, at, column }: Stop): Point {
  const y = layout.boxes[row]!.y;
  if (at === "gutter") return { x: layout.gutter.x(column), y };
  return { x: layout.lifeX[at === "sender" ? side : side === 0 ? 1 : 0], y };
}

/** 1: to the right. */
const directionOf = ({ side }: Flight) => (side === 0 ? 1 : -1);

/** A label along a line that begins at `start` and falls by `slope`. */
function labelAlong(flight: Flight, text: string, start: Point, slope: number): Label {
  const direction = directionOf(flight);
  const turn = (Math.atan(slope) * 180) / Math.PI;
  return {
    text,
    x: start.x + direction * LABEL_START,
    y: start.y + LABEL_START * slope - LABEL_RISE,
    turn: direction * turn,
  };
}

/** The room that a label takes, along its line. */
export function boxOfLabel({ side }: Flight, { text, x, y, turn }: Label): Box {
  const width = widthPx(text);
  const left = side === 0 ? x : x - width;
  return turned(box(left, y - ASCENT, left + width, y + DESCENT), { x, y }, turn);
}

/** What labels must not be turned into: words on the wire, and rows that are wider than it. */
function obstacles({ boxes, gutter, lifeX, width }: Layout): Box[] {
  return boxes.flatMap(({ row, top, height, y, wire }) => {
    if (row.kind !== "moment") return [box(0, top, width, top + height)];
    if (!wire) return [];
    return [box(wire.side === 0 ? lifeX[0] : gutter.right, top, wire.side === 0 ? gutter.left : lifeX[1], y)];
  });
}

/** The first of the labels, from the longest on, that takes at most so many cells. */
function fittingLabel(labels: readonly string[], room: number): string {
  return labels.find((label) => cells(label) <= room) ?? shorten(labels.at(-1)!, room);
}

function plan(layout: Layout, flight: Flight): { way: Way; slope: number; knee?: Point } {
  const points = flight.stops.map(({ line, mark, ...stop }) => ({
    ...pointOf(layout, flight, { line, ...stop }),
    line,
    ...(mark && { mark }),
  }));
  const way: Way = { flight, points };
  const [start, next] = points;
  const direction = directionOf(flight);
  const kneeX = flight.side === 0 ? layout.gutter.left : layout.gutter.right;
  const slope = ROW / 2 / Math.abs(kneeX - start!.x);
  if (flight.label) way.label = labelAlong(flight, fittingLabel(flight.label, layout.halfCells), start!, slope);
  const knee = { x: kneeX, y: start!.y + ROW / 2 };
  if (!next) {
    points.push({ ...knee, line: "solid" });
    return { way, slope };
  }
  if (flight.stops[0]!.at !== "sender" || !flight.label) return { way, slope };
  return { way, slope: (next.y - start!.y) / ((next.x - start!.x) * direction), knee };
}

/** The ways of all flights, labels placed. */
export function makeWays(layout: Layout, flights: readonly Flight[]): Way[] {
  const plans = flights.map((flight) => plan(layout, flight));
  const crowd = new Crowd();
  for (const obstacle of obstacles(layout)) crowd.add(obstacle);
  const places = plans.map(({ way }) => way.label && boxOfLabel(way.flight, way.label));
  for (const place of places) if (place) crowd.add(place);
  for (const [i, { way, slope, knee }] of plans.entries()) {
    const place = places[i];
    if (!knee || !way.label || !place) continue;
    const straight = labelAlong(way.flight, way.label.text, way.points[0]!, slope);
    const wanted = boxOfLabel(way.flight, straight);
    crowd.delete(place);
    if (slope <= MAX_SLOPE && !crowd.isMetBy(wanted)) {
      way.label = straight;
      crowd.add(wanted);
    } else {
      way.points.splice(1, 0, { ...knee, line: "solid" });
      crowd.add(place);
    }
  }
  return plans.map(({ way }) => way);
}
