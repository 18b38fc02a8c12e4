/** A report of experiments: one page that needs nothing else, neither the network nor scripts. */
import type { Trace } from "../../trace/trace.ts";
import { escapeForHtml, escapeForTerminal, escapeMarkup } from "../escape.ts";
import { expectationsOf } from "../expectations.ts";
import { foldBulk, trafficLabel, type Fold } from "../fold.ts";
import { timeLabel } from "../labels.ts";
import { drawSvg } from "../svg/svg.ts";
import { outcomeReason, outcomeStyle, outcomeWord } from "../verdict.ts";
import { PAGE_STYLE } from "./style.ts";
import { eventWords } from "./words.ts";

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

function drawPill({ outcome }: Trace): string {
  return `<span class="pill ${outcomeStyle(outcome)}">${outcomeWord(outcome)}</span>`;
}

function drawSummary(traces: readonly Trace[]): string {
  const rows = traces.map((trace, i) => {
    const { experiment, outcome } = trace;
    const claims = experiment.claims.map((claim) => `<li>${escapeForHtml(claim)}</li>`).join("");
    return `<tr>
<td><a href="#experiment-${i + 1}">${escapeForHtml(experiment.title)}</a></td>
<td><ul>${claims}</ul></td>
<td>${drawPill(trace)}</td>
<td>${escapeForHtml(outcomeReason(outcome))}</td>
</tr>`;
  });
  const titles = ["Experiment", "Claims", "Verdict", "What was seen"].map((title) => `<th scope="col">${title}</th>`);
  return `<table class="summary"><thead><tr>${titles.join("")}</tr></thead><tbody>\n${rows.join("\n")}\n</tbody></table>`;
}

function drawExpectations(trace: Trace): string {
  const items = expectationsOf(trace).map(({ text, met }) => {
    const words = escapeForHtml(text);
    return met ? `<li class="good">${words}</li>` : `<li class="bad"><b>Not met:</b> ${words}</li>`;
  });
  if (items.length === 0) return "";
  return `<div><h3>Expectations</h3><ul class="expectations">${items.join("")}</ul></div>`;
}

/** `5,000 segments, 7,240,000 bytes from client; 500 segments from server`. */
function foldWords({ traffic }: Fold): string {
  return `… ${traffic.map((each) => `${trafficLabel(each)} from ${escapeForTerminal(each.from)}`).join("; ")}`;
}

/** All events, those of a bulk transfer in one row. */
function drawEvents(trace: Trace, id: string): string {
  const { events } = trace;
  const words = eventWords(trace);
  const rows = foldBulk(events);
  /** The number of the row that an event is in: its first event's. */
  const rowOf = new Map<number, number>();
  for (const row of rows) {
    if (row.kind !== "fold") rowOf.set(row.n, row.n);
    else for (const { n } of row.events) rowOf.set(n, row.events[0]!.n);
  }
  const drawn = rows.map((row) => {
    const [first, last] = row.kind === "fold" ? [row.events[0]!, row.events.at(-1)!] : [row, row];
    const { who, what } = row.kind === "fold" ? { who: "", what: foldWords(row) } : words(row);
    const cause = row.kind === "fold" || row.cause === undefined ? undefined : rowOf.get(row.cause);
    const cells = [
      first === last ? String(first.n) : `${first.n}–${last.n}`,
      timeLabel(row.tUs),
      escapeMarkup(who),
      escapeMarkup(what),
      cause === undefined ? "" : `<a href="#${id}-${cause}">${cause}</a>`,
    ];
    return `<tr id="${id}-${first.n}">${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
  });
  const titles = ["No.", "Time", "Who", "What", "Because of"].map((title) => `<th scope="col">${title}</th>`).join("");
  return `<details><summary>All ${events.length} events</summary>
<div class="events" tabindex="0" role="region" aria-label="Events"><table><thead><tr>${titles}</tr></thead><tbody>
${drawn.join("\n")}
</tbody></table></div></details>`;
}

function drawSection(trace: Trace, number: number): string {
  const { experiment, outcome } = trace;
  const id = `experiment-${number}`;
  return `<section id="${id}" aria-labelledby="${id}-heading">
<h2 id="${id}-heading">${escapeForHtml(experiment.title)}</h2>
<div class="facts">
<div><h3>What the document says</h3><p>${escapeForHtml(experiment.article)}</p></div>
<div><h3>What ${escapeForHtml(world(trace))}, did</h3>${drawPill(trace)}<p>${escapeForHtml(outcomeReason(outcome))}</p></div>
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
