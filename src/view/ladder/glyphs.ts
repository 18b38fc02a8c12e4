/** What the ladder is drawn with: lines and arrows of Unicode, or of ASCII where a terminal has no more. */
import type { Side } from "./rows.ts";

export interface Glyphs {
  lifeLine: string;
  /** A life line over which much time goes by. */
  gap: string;
  stroke: string;
  /** Where an arrow comes to its end, by the side that it comes from. */
  arrived: Record<Side, string>;
  /** Where an arrow leaves its row, and where it enters a later one. */
  leaves: Record<Side, string>;
  enters: Record<Side, string>;
  held: string;
  lost: string;
  met: string;
  notMet: string;
  /** Text as this terminal can show it. */
  spell(text: string): string;
}

export const UNICODE: Glyphs = {
  lifeLine: "│",
  gap: "┊",
  stroke: "─",
  arrived: { left: "▶", right: "◀" },
  leaves: { left: "╮", right: "╭" },
  enters: { left: "╰", right: "╯" },
  held: "▐",
  lost: "✗",
  met: "✓",
  notMet: "✗",
  spell: (text) => text,
};

const SPELLINGS: Record<string, string> = {
  "…": "...",
  "→": "->",
  "←": "<-",
  "·": "-",
  "×": "x",
  "–": "-",
  "—": "--",
  "“": '"',
  "”": '"',
  "‘": "'",
  "’": "'",
  "─": "-",
  "\u00a0": "\u00a0",
};

function inAscii(character: string): string {
  const code = character.codePointAt(0)!;
  return SPELLINGS[character] ?? `\\u${code > 0xffff ? `{${code.toString(16)}}` : code.toString(16).padStart(4, "0")}`;
}

export const ASCII: Glyphs = {
  lifeLine: "|",
  gap: ":",
  stroke: "-",
  arrived: { left: ">", right: "<" },
  leaves: { left: "\\", right: "/" },
  enters: { left: "\\", right: "/" },
  held: "]",
  lost: "x",
  met: "+",
  notMet: "x",
  spell: (text) => text.replace(/[^\u0020-\u007e]/gu, inAscii),
};
