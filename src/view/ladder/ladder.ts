/**
 * A trace as a time-sequence diagram in text: time runs down, a life line for each of two hosts, the segments as arrows
 * between them, and beside each life line what its processes called and what became of its sockets.
 */
import type { Trace } from "../../trace/trace.ts";
import { lifeLines } from "../sides.ts";
import { composeRows } from "./compose.ts";
import { drawRows } from "./draw-row.ts";
import { drawFoot, drawHosts, drawTitle } from "./frame.ts";
import { ASCII, UNICODE } from "./glyphs.ts";
import { layoutFor } from "./layout.ts";
import { renderLine } from "./text.ts";

export interface LadderOptions {
  /** Columns of the terminal: no line is longer. Meant for 80 and more. */
  width: number;
  /** SGR sequences; without them, the same text. */
  colour: boolean;
  /** False: ASCII only. */
  unicode?: boolean;
}

/** Lines, each ended by a newline. Everything that others wrote is escaped. */
export function drawLadder(trace: Trace, { width, colour, unicode = true }: LadderOptions): string {
  const glyphs = unicode ? UNICODE : ASCII;
  const layout = layoutFor(width);
  const rows = composeRows(trace);
  const isEmpty = rows.length === 0; // it was not run: life lines that nothing stands beside tell nothing
  const lines = [
    ...drawTitle(trace, layout, glyphs),
    ...(isEmpty ? [] : drawHosts(trace, lifeLines(trace), layout, glyphs)),
    ...drawRows(rows, layout, glyphs),
    ...drawFoot(trace, layout, glyphs),
  ];
  return lines.map((line) => `${renderLine(line, width, colour)}\n`).join("");
}
