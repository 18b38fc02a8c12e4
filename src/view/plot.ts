/** How often something goes wrong as a setting changes: a table with bars for the terminal. */
import { escapeForTerminal } from "./escape.ts";

export interface PlotPoint {
  /** The setting's value, as people write it. */
  label: string;
  runs: number;
  wrong: number;
  /** Why, most of the time. */
  reason?: string;
}

export interface Plot {
  title: string;
  /** What the values are of: `msl`. */
  setting: string;
  /** Under which conditions. */
  conditions: string;
  points: readonly PlotPoint[];
}

const BAR_WIDTH = 24;
const PARTS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

function bar(share: number, unicode: boolean): string {
  if (!unicode) return "#".repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH);
  const eighths = Math.round(share * BAR_WIDTH * 8);
  return `${"█".repeat(eighths >> 3)}${PARTS[eighths & 7]}`.padEnd(BAR_WIDTH);
}

export function percent(share: number): string {
  return `${Number((100 * share).toFixed(1))} %`;
}

/** A line a point; what does not fit into `width` columns is cut. */
export function drawPlot(
  { title, setting, conditions, points }: Plot,
  { width, unicode }: { width: number; unicode: boolean },
): string {
  const labelWidth = Math.max(setting.length, ...points.map(({ label }) => label.length));
  const countOf = ({ runs, wrong }: PlotPoint) => `${wrong} of ${runs}`;
  const head = "went wrong";
  const countWidth = Math.max(head.length, ...points.map((point) => countOf(point).length));
  const rows = points.map((point) => {
    const share = point.wrong / point.runs;
    const parts = [
      point.label.padStart(labelWidth),
      countOf(point).padStart(countWidth),
      bar(share, unicode),
      percent(share).padStart(7),
      point.reason ?? "",
    ];
    return parts.join("  ");
  });
  const lines = [title, conditions, "", `${setting.padStart(labelWidth)}  ${head.padStart(countWidth)}`, ...rows];
  return `${lines.map((line) => escapeForTerminal(line).slice(0, width).trimEnd()).join("\n")}\n`;
}
