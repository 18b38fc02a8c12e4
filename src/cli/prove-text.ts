/** Answers of `lastack prove`, as text and as JSON. */
import { wholeNumber } from "../diagnose/words.ts";
import { ASSUMPTIONS, type NamedQuestion } from "../prove/questions.ts";
import { boundsOf } from "../prove/verdict.ts";
import type { Verdict } from "./prove-search.ts";

function answer({ found, because }: Verdict): string {
  const { distinct, depth } = found;
  switch (found.status) {
    case "holds":
      return `holds: ${wholeNumber(distinct)} states, which is all that there are, none further than ${depth - 1} steps from the beginning`;
    case "violated":
      return `does not hold: ${because}; a shortest way there takes ${found.counterexample.steps.length} steps; ${wholeNumber(distinct)} states`;
    case "unfinished": {
      const why = found.why === "memory" ? "the memory is full (--memory)" : "stopped";
      return `no answer, ${why}: in ${wholeNumber(distinct)} states, up to ${depth - 1} steps from the beginning, there is nothing wrong`;
    }
  }
}

/** The question, its assumptions and bounds, and the answer. */
export function verdictText(verdict: Verdict): string {
  const { named, question } = verdict;
  const assumptions = ASSUMPTIONS.map((one) => `  ${one.isMade(question) ? "yes" : "NO "}  ${one.text}`);
  return [
    `${named.claim}.`,
    named.source,
    "",
    "Assumed",
    ...assumptions,
    "Within",
    ...boundsOf(question).map((bound) => `  ${bound}`),
    "",
    `${named.id} ${answer(verdict)}.`,
    "",
  ].join("\n");
}

/** The answers with all assumptions and without each. */
export function comparison(named: NamedQuestion, rows: readonly { without?: string; verdict: Verdict }[]): string {
  const label = (without: string | undefined) =>
    without === undefined ? "with all assumptions" : `without ${without}`;
  const width = Math.max(...rows.map(({ without }) => label(without).length));
  return [
    `${named.claim}.`,
    named.source,
    "",
    ...ASSUMPTIONS.map(({ id, text }) => `${id.padEnd(width)}  ${text}`),
    "",
    ...rows.map(({ without, verdict }) => `${label(without).padEnd(width)}  ${answer(verdict)}`),
    "",
  ].join("\n");
}

/** docs/json.md describes it. */
export function verdictJson({ named, question, found, because }: Verdict) {
  const { distinct, generated, depth } = found;
  return {
    schema: 1,
    question: named.id,
    claim: named.claim,
    assumptions: ASSUMPTIONS.map(({ id, text, isMade }) => ({ id, text, made: isMade(question) })),
    bounds: boundsOf(question),
    answer: found.status,
    ...(found.status === "unfinished" && { why: found.why }),
    ...(because !== undefined && { because }),
    ...(found.status === "violated" && { steps: found.counterexample.steps.length }),
    states: distinct,
    generated,
    depth,
  };
}
