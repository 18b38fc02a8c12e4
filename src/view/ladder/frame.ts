/** What stands above and below the rows: the run, its hosts; expectations and the verdict. */
import type { Trace } from "../../trace/trace.ts";
import { escapeForTerminal } from "../escape.ts";
import { expectationsOf, type Expectation } from "../expectations.ts";
import type { LifeLines } from "../sides.ts";
import { outcomeStyle, verdictSentence } from "../verdict.ts";
import type { Glyphs } from "./glyphs.ts";
import { fullWidth, type Layout, leftLine, rightLine } from "./layout.ts";
import type { Style } from "./sgr.ts";
import { blank, clip, type Line, type Span, textWidth, wrap } from "./text.ts";

/** Two texts centred on the life lines. */
function besideLifeLines(texts: LifeLines, style: Style, layout: Layout, glyphs: Glyphs): Line {
  const room = Math.max(1, layout.middle - 2);
  const line: Span[] = [];
  let at = 0;
  for (const [side, middle] of [
    ["left", leftLine(layout)],
    ["right", rightLine(layout)],
  ] as const) {
    const text = clip(glyphs.spell(escapeForTerminal(texts[side])), room, glyphs.spell("…"));
    const start = Math.max(at, middle - Math.floor(textWidth(text) / 2));
    line.push(blank(start - at), { text, style });
    at = start + textWidth(text);
  }
  return line;
}

function paragraph(text: string, indent: string, layout: Layout, glyphs: Glyphs, style?: Style): Line[] {
  const words = wrap(glyphs.spell(text), Math.max(1, fullWidth(layout) - indent.length));
  return words.map((line, i) => [{ text: i === 0 ? "" : indent }, { text: line, style }]);
}

/** The experiment and the world. */
export function drawTitle({ experiment, world, system }: Trace, layout: Layout, glyphs: Glyphs): Line[] {
  const where = world === "kernel" ? `on this kernel, ${system}` : `in the model, ${system}`;
  return [
    ...paragraph(escapeForTerminal(experiment.title), "", layout, glyphs, "heading"),
    ...paragraph(escapeForTerminal(`${experiment.id}, ${where}`), "", layout, glyphs, "dim"),
  ];
}

/** The hosts with their first addresses, and where their life lines begin. */
export function drawHosts({ hosts }: Trace, lines: LifeLines, layout: Layout, glyphs: Glyphs): Line[] {
  const addressOf = (name: string) => hosts.find((host) => host.name === name)?.addresses[0] ?? "";
  const life: Span = { text: glyphs.lifeLine, style: "dim" };
  return [
    [],
    besideLifeLines(lines, "heading", layout, glyphs),
    besideLifeLines({ left: addressOf(lines.left), right: addressOf(lines.right) }, "dim", layout, glyphs),
    [blank(leftLine(layout)), life, blank(layout.middle), life],
  ];
}

function drawExpectation({ text, met }: Expectation, layout: Layout, glyphs: Glyphs): Line[] {
  const mark = met ? `${glyphs.met} ` : `${glyphs.notMet} not met: `;
  const style: Style = met ? "good" : "bad";
  const lines = wrap(glyphs.spell(escapeForTerminal(text)), Math.max(1, fullWidth(layout) - textWidth(mark)));
  return lines.map((line, i) => [i === 0 ? { text: mark, style } : blank(textWidth(mark)), { text: line }]);
}

/** The expectations, what the article says, and what became of it. */
export function drawFoot(trace: Trace, layout: Layout, glyphs: Glyphs): Line[] {
  const { experiment } = trace;
  const expectations = expectationsOf(trace);
  const lines: Line[] = [[]];
  for (const expectation of expectations) lines.push(...drawExpectation(expectation, layout, glyphs));
  if (expectations.length > 0) lines.push([]);
  const claims = experiment.claims.length === 0 ? "" : ` (${experiment.claims.join(", ")})`;
  const said = escapeForTerminal(`The article${claims}: “${experiment.article}”`);
  lines.push(...paragraph(said, "", layout, glyphs));
  lines.push(...paragraph(verdictSentence(trace), "", layout, glyphs, outcomeStyle(trace.outcome)));
  return lines;
}
