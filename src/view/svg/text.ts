/**
 * Lines of text whose width is known without a font: labels are set in a monospaced one, a cell a character. What such a
 * font may lack (other scripts, emoji) is told to fit into its cells with `textLength`.
 */
import { escapeMarkup } from "../escape.ts";

/** A piece of a line: text without control characters, and its look, a class of style.ts. */
export interface Run {
  text: string;
  /** What `text` is short for. */
  whole?: string;
  look?: string;
}

/** Of labels. DejaVu Sans Mono is the widest of the usual fonts: 0.602 of its size. */
export const FONT_PX = 11.5;
export const CELL_PX = 7.1;
export const LINE_PX = 15;

const ELLIPSIS = "…";
/** Latin and the signs that labels use: one cell each in every font that has them. */
const PLAIN = /^[\u0020-\u024f–—‘’“”…→←×·]*$/u;

const cellsOf = (character: string) => (PLAIN.test(character) ? 1 : 2);

/** How many cells a text takes. */
export function cells(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let sum = 0;
  for (const character of text) sum += cellsOf(character);
  return sum;
}

export function widthPx(text: string): number {
  return cells(text) * CELL_PX;
}

export function textOf(runs: readonly Run[]): string {
  return runs.map(({ text }) => text).join("");
}

export function wholeOf(runs: readonly Run[]): string {
  return runs.map(({ text, whole }) => whole ?? text).join("");
}

/** The longest beginning of a text that takes at most so many cells, by UTF-16 length. */
function fitting(text: string, room: number): number {
  let [used, at] = [0, 0];
  for (const character of text) {
    used += cellsOf(character);
    if (used > room) break;
    at += character.length;
  }
  return at;
}

/** The text, or its beginning and an ellipsis, in at most so many cells. */
export function shorten(text: string, room: number): string {
  return cells(text) <= room ? text : text.slice(0, fitting(text, room - 1)) + ELLIPSIS;
}

/** A word with the spaces before it; its pieces may differ in their looks. */
interface Word {
  runs: Run[];
  cells: number;
}

/** Those longer than a line in pieces. Where no space is between two runs, they are one word. */
function words(runs: readonly Run[], room: number): Word[] {
  const all: Word[] = [];
  const put = (run: Run) => {
    const width = cells(run.text);
    const last = all.at(-1);
    if (last && !run.text.startsWith(" ") && last.cells + width <= room) {
      last.runs.push(run);
      last.cells += width;
    } else all.push({ runs: [run], cells: width });
  };
  for (const { text, look } of runs) {
    const as = (piece: string) => ({ text: piece, ...(look && { look }) });
    for (let word of text.match(/ *[^ ]+| +/g) ?? []) {
      while (cells(word) > room) {
        const at = Math.max(fitting(word, room), 1);
        put(as(word.slice(0, at)));
        word = word.slice(at);
      }
      put(as(word));
    }
  }
  return all;
}

/** A line cut so that an ellipsis fits in. */
function cutLine(line: readonly Run[], room: number): Run[] {
  const cut: Run[] = [];
  let left = room - 1;
  for (const run of line) {
    const text = run.text.slice(0, fitting(run.text, left));
    cut.push({ ...run, text });
    left -= cells(text);
    if (text.length < run.text.length) break;
  }
  cut.at(-1)!.text += ELLIPSIS;
  return cut;
}

/** Breaks a line between words into lines of at most so many cells; an ellipsis ends the last if there is more. */
export function wrap(runs: readonly Run[], room: number, maxLines: number): Run[][] {
  const lines: Run[][] = [[]];
  let used = 0;
  for (const word of words(runs, room)) {
    if (used > 0 && used + word.cells > room) {
      if (lines.length === maxLines) {
        lines.push(cutLine([...lines.pop()!, ...word.runs], room));
        return lines;
      }
      lines.push([]);
      used = 0;
    }
    const line = lines.at(-1)!;
    for (const run of word.runs) {
      const text = used === 0 ? run.text.trimStart() : run.text;
      const previous = line.at(-1);
      if (previous && previous.look === run.look) previous.text += text;
      else if (text) line.push({ ...run, text });
      used += cells(text);
    }
  }
  return lines;
}

export interface Placed {
  x: number;
  y: number;
  anchor?: "start" | "middle" | "end";
  look?: string;
  /** Shown when the pointer rests on it. */
  title?: string;
  /** Not set in the monospaced font: nobody knows its width. */
  sans?: boolean;
  /** Degrees, clockwise, around x and y. */
  turn?: number;
}

export const px = (value: number) => String(Math.round(value * 10) / 10);

/** A `<text>` of one line, its baseline at y. */
export function drawText(
  runs: readonly Run[],
  { x, y, anchor = "start", look, title, sans = false, turn = 0 }: Placed,
): string {
  const whole = textOf(runs);
  if (whole === "") return "";
  const attributes = [
    `x="${px(x)}" y="${px(y)}"`,
    anchor === "start" ? "" : `text-anchor="${anchor}"`,
    look ? `class="${look}"` : "",
    Math.abs(turn) < 0.01 ? "" : `transform="rotate(${turn.toFixed(2)} ${px(x)} ${px(y)})"`,
    sans || PLAIN.test(whole) ? "" : `textLength="${px(widthPx(whole))}" lengthAdjust="spacingAndGlyphs"`,
  ].filter(Boolean);
  const pieces = runs.map((run) => {
    const text = escapeMarkup(run.text);
    return run.look ? `<tspan class="${run.look}">${text}</tspan>` : text;
  });
  const hint = title === undefined || title === whole ? "" : `<title>${escapeMarkup(title)}</title>`;
  return `<text ${attributes.join(" ")}>${hint}${pieces.join("")}</text>`;
}
