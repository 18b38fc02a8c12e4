/** One line for a run of many. */
import type { Trace } from "../trace/trace.ts";
import { escapeForTerminal } from "./escape.ts";
import { ASCII, UNICODE } from "./ladder/glyphs.ts";
import { clip, renderLine, type Span, textWidth } from "./ladder/text.ts";
import { outcomeReason, outcomeStyle, outcomeWord } from "./verdict.ts";

export interface SummaryOptions {
  /** Columns; the line is as long as it is without one. */
  width?: number;
  colour?: boolean;
  unicode?: boolean;
  /** Columns of the longest id of the lines that stand below each other. */
  idWidth?: number;
}

const CLAIMS_WIDTH = 8;
const WORD_WIDTH = 14;

/** `last-ack-lost  A8      holds         the FIN was sent again`, without a newline. */
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
  const room = Math.max(0, width - taken);
  line.push({ text: clip(glyphs.spell(escapeForTerminal(outcomeReason(outcome))), room, glyphs.spell("…")) });
  return renderLine(line, width, colour);
}
