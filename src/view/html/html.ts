/** A report of experiments: one page that needs nothing else, neither the network nor scripts. */
import type { Trace } from "../../trace/trace.ts";
import { escapeForHtml, escapeMarkup } from "../escape.ts";
import { timeLabel } from "../labels.ts";
import { findFolds } from "../svg/fold.ts";
import { foldLabel } from "../svg/rows.ts";
import { drawSvg } from "../svg/svg.ts";
import { PAGE_STYLE } from "./style.ts";
import { eventWords, expectationsOf, outcomeWords } from "./words.ts";

export interface HtmlOptions {
  title?: string;
}

/** Nothing may be loaded or run, whatever a trace has in it. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** JSON that ends no script element and has no character that could be mistaken for another: ASCII alone. */
function embedJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const world = ({ world: kind, system }: Trace) => `${kind === "kernel" ? "the kernel" : "the model"}, ${system}`;

function drawPill(trace: Trace): string {
  const { look, short } = outcomeWords(trace.outcome);
  return `<span class="pill ${look}">${escapeForHtml(short)}</span>`;
}

function drawSummary(traces: readonly Trace[]): string {
  const rows = traces.map((trace, i) => {
    const { experiment, outcome } = trace;
    const claims = experiment.claims.map((claim) => `<li>${escapeForHtml(claim)}</li>`).join("");
    return `<tr>
<td><a href="#experiment-${i + 1}">${escapeForHtml(experiment.title)}</a></td>
<td><ul>${claims}</ul></td>
<td>${drawPill(trace)}</td>
<td>${escapeForHtml(outcomeWords(outcome).sentence)}</td>
</tr>`;
  });
  const titles = ["Experiment", "Claims", "Verdict", "What was seen"].map((title) => `<th scope="col">${title}</th>`);
  return `<table class="summary"><thead><tr>${titles.join("")}</tr></thead><tbody>\n${rows.join("\n")}\n</tbody></table>`;
}

function drawExpectations(trace: Trace): string {
  const items = expectationsOf(trace).map(({ text, met }) => {
    const words = escapeForHtml(text);
    return met ? `<li class="yes">${words}</li>` : `<li class="no"><b>Not met:</b> ${words}</li>`;
  });
  if (items.length === 0) return "";
  return `<div><h3>Expectations</h3><ul class="expectations">${items.join("")}</ul></div>`;
}

/** All events, those of a bulk transfer in one row. */
function drawEvents(trace: Trace, id: string): string {
  const words = eventWords(trace);
  const folds = new Map(findFolds(trace.events).map((fold) => [fold.first, fold]));
  const rows: string[] = [];
  let after = -1;
  for (const [i, event] of trace.events.entries()) {
    // Asked for in any case: returns need the words of their calls.
    const { who, what } = words(event);
    if (i <= after) continue;
    const fold = folds.get(i);
    if (fold) after = fold.last;
    const cause = !fold && event.cause !== undefined ? `<a href="#${id}-${event.cause}">${event.cause}</a>` : "";
    const cells = [
      fold ? `${event.n}–${trace.events[fold.last]!.n}` : String(event.n),
      timeLabel(event.tUs),
      ...(fold ? ["", escapeForHtml(foldLabel(fold))] : [escapeMarkup(who), escapeMarkup(what)]),
      cause,
    ];
    rows.push(`<tr id="${id}-${event.n}">${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`);
  }
  const titles = ["No.", "Time", "Who", "What", "Because of"].map((title) => `<th scope="col">${title}</th>`).join("");
  return `<details><summary>All ${trace.events.length} events</summary>
<div class="events" tabindex="0" role="region" aria-label="Events"><table><thead><tr>${titles}</tr></thead><tbody>
${rows.join("\n")}
</tbody></table></div></details>`;
}

function drawSection(trace: Trace, number: number): string {
  const { experiment, outcome } = trace;
  const id = `experiment-${number}`;
  return `<section id="${id}" aria-labelledby="${id}-heading">
<h2 id="${id}-heading">${escapeForHtml(experiment.title)}</h2>
<div class="facts">
<div><h3>What the document says</h3><p>${escapeForHtml(experiment.article)}</p></div>
<div><h3>What ${escapeForHtml(world(trace))}, did</h3>${drawPill(trace)}<p>${escapeForHtml(outcomeWords(outcome).sentence)}</p></div>
${drawExpectations(trace)}
</div>
<div class="scroll" tabindex="0" role="region" aria-label="Ladder diagram">
${drawSvg(trace, { idInPage: `${id}-ladder` })}</div>
${drawEvents(trace, `${id}-event`)}
<script type="application/json" id="${id}-trace">${embedJson(trace)}</script>
</section>`;
}

/** The report as an HTML document, for any number of traces in the order given. The traces themselves are in it as JSON. */
export function drawHtml(traces: readonly Trace[], { title = "How TCP connections end" }: HtmlOptions = {}): string {
  const worlds = [...new Set(traces.map(world))].join("; ");
  const count = `${traces.length} ${traces.length === 1 ? "experiment" : "experiments"}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeForHtml(title)}</title>
<style>
${PAGE_STYLE}
</style>
</head>
<body>
<main>
<h1>${escapeForHtml(title)}</h1>
<p class="lead">${escapeForHtml(`${count}${worlds ? `, run by ${worlds}` : ""}`)}</p>
${drawSummary(traces)}
${traces.map((trace, i) => drawSection(trace, i + 1)).join("\n")}
</main>
</body>
</html>
`;
}
