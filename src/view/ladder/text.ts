/** Lines of styled text, measured in the columns of a terminal. */
import { paint, type Style } from "./sgr.ts";

export interface Span {
  text: string;
  style?: Style | undefined;
}
export type Line = readonly Span[];

/** Holds words together: as wide as a space, and no place to break a line. */
export const NO_BREAK = "\u00a0";

/** Characters that take two columns (Unicode's East Asian Width W and F, by block), and those that take none. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1aff0}-\u{1b2ff}\u{1f000}-\u{1faff}\u{20000}-\u{3fffd}\u231a-\u231b\u23e9-\u23f3\u25fd-\u25fe\u2614-\u2615\u2648-\u2653\u26a1-\u26fd\u2705\u270a-\u2728\u274c-\u2757\u2795-\u27bf\u2b1b-\u2b55]/u;
const NARROW = /^[\u0020-\u007e\u00a0-\u02ff\u2190-\u2193\u2500-\u259f\u2026]*$/;
const MARK = /\p{M}/u;

function columnsOf(character: string): number {
  if (MARK.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** How many columns the text takes. */
export function textWidth(text: string): number {
  if (NARROW.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += columnsOf(character);
  return width;
}

/** As much of the text as fits into `room` columns. */
function head(text: string, room: number): string {
  let width = 0;
  let taken = "";
  for (const character of text) {
    width += columnsOf(character);
    if (width > room) break;
    taken += character;
  }
  return taken;
}

/** The text, or as much of it as leaves room for `ellipsis`. */
export function clip(text: string, room: number, ellipsis: string): string {
  if (textWidth(text) <= room) return text;
  return room < textWidth(ellipsis) ? head(ellipsis, room) : head(text, room - textWidth(ellipsis)) + ellipsis;
}

/** Broken at spaces, at {@link NO_BREAK} and within words where it must be, into lines of at most `room` columns. */
export function wrap(text: string, room: number): string[] {
  const lines: string[] = [];
  let line = "";
  const words = text.split(" ").flatMap((word) => (textWidth(word) <= room ? [word] : word.split(NO_BREAK)));
  for (const word of words) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (textWidth(longer) <= room) {
      line = longer;
      continue;
    }
    if (line !== "") lines.push(line);
    line = word;
    while (line !== "" && textWidth(line) > room) {
      // At least one character, also where it is wider than the room: the line is cut in the end.
      const piece = head(line, room) || [...line][0]!;
      lines.push(piece);
      line = line.slice(piece.length);
    }
  }
  return line === "" && lines.length > 0 ? lines : [...lines, line];
}

export function lineWidth(line: Line): number {
  return line.reduce((width, { text }) => width + textWidth(text), 0);
}

export function blank(width: number): Span {
  return { text: " ".repeat(Math.max(0, width)) };
}

/** The line as text of at most `width` columns, without spaces at its end. */
export function renderLine(line: Line, width: number, colour: boolean): string {
  let room = width;
  const spans: Span[] = [];
  for (const { text, style } of line) {
    const shown = head(text, room).replaceAll(NO_BREAK, " ");
    room -= textWidth(shown);
    if (shown !== "") spans.push({ text: shown, style });
  }
  for (let last = spans.pop(); last; last = spans.pop()) {
    const text = last.text.trimEnd();
    if (text === "") continue;
    spans.push({ text, style: last.style });
    break;
  }
  return spans.map(({ text, style }) => (colour && style ? paint(text, style) : text)).join("");
}
