/** One line for a run of many, and more where a terminal is narrow. */
import type { Trace } from "../trace/trace.ts";
import { escapeForTerminal } from "./escape.ts";
import { ASCII, UNICODE } from "./ladder/glyphs.ts";
import { renderLine, type Span, textWidth, wrap } from "./ladder/text.ts";
import { outcomeReason, outcomeStyle, outcomeWord } from "./verdict.ts";

export interface SummaryOptions {
  /** Columns; without, it is one line, as long as it is. */
  width?: number;
  colour?: boolean;
  unicode?: boolean;
  /** Columns of the longest id of the lines that stand below each other. */
  idWidth?: number;
}

const CLAIMS_WIDTH = "A3,A6,A12  ".length;
const WORD_WIDTH = 14;
/** With less room than this beside the verdict, why it is so stands below it. */
const REASON_WIDTH = 60;
const INDENT = "    ";

/** `last-ack-lost  A8         holds         the FIN was sent again`, without a newline. */
export function drawSummary(trace: Trace, options: SummaryOptions = {}): string {
  const { width = Number.POSITIVE_INFINITY, colour = false, unicode = true, idWidth = 0 } = options;
  const { experiment, outcome } = trace;
  const glyphs = unicode ? UNICODE : ASCII;
  const column = (text: string, columns: number) => {
    const words = glyphs.spell(escapeForTerminal(text));
    return words + " ".repeat(Math.max(2, columns - textWidth(words)));
  };
  const line: Span[] = [
    { text: column(experiment.id, idWidth + 2) },
    { text: column(experiment.claims.join(","), CLAIMS_WIDTH) },
    { text: column(outcomeWord(outcome), WORD_WIDTH), style: outcomeStyle(outcome) },
  ];
  const taken = line.reduce((sum, { text }) => sum + textWidth(text), 0);
  const reason = glyphs.spell(escapeForTerminal(outcomeReason(outcome)));
  const room = width - taken;
  if (textWidth(reason) <= room) return renderLine([...line, { text: reason }], width, colour);
  const isBelow = room < REASON_WIDTH;
  const indent = isBelow ? INDENT : " ".repeat(taken);
  const [first = "", ...more] = wrap(reason, width - textWidth(indent));
  const below = (isBelow ? [first, ...more] : more).map((text) => [{ text: indent + text }]);
  const lines = [isBelow ? line : [...line, { text: first }], ...below];
  return lines.map((spans) => renderLine(spans, width, colour)).join("\n");
}
