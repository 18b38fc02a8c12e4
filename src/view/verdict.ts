/** How a run came out, in sentences. */
import type { Outcome, Trace } from "../trace/trace.ts";
import { escapeForTerminal } from "./escape.ts";

function claimsLabel(claims: readonly string[]): string {
  return escapeForTerminal(claims.length === 1 ? claims[0]! : `${claims.slice(0, -1).join(", ")} and ${claims.at(-1)}`);
}

/** A word for a run's outcome: `holds`, `does not hold`, `holds partly`, `failed`, `not run`. */
export function outcomeWord(outcome: Outcome): string {
  if (outcome.status !== "done") return outcome.status;
  return { yes: "holds", no: "does not hold", partly: "holds partly" }[outcome.verdict.holds];
}

/**
 * The verdict: `A8 holds: …`, `A7 does not hold on this kernel: …`; of a run without one, why it has none. Escaped for a
 * terminal.
 */
export function verdictSentence({
  experiment,
  world,
  outcome,
}: Pick<Trace, "experiment" | "world" | "outcome">): string {
  if (outcome.status === "not run") return `Not run: ${escapeForTerminal(outcome.reason)}`;
  if (outcome.status === "failed") return `The run failed and proves nothing: ${escapeForTerminal(outcome.reason)}`;
  const { holds, because } = outcome.verdict;
  if (experiment.claims.length === 0) return escapeForTerminal(because);
  const claims = claimsLabel(experiment.claims);
  const many = experiment.claims.length > 1;
  const verb = { yes: many ? "hold" : "holds", no: many ? "do not hold" : "does not hold" };
  const word = holds === "partly" ? `${verb.yes} partly` : verb[holds];
  const where = world === "kernel" ? " on this kernel" : " in the model";
  const sentence = `${claims} ${word}${holds === "yes" ? "" : where}: ${escapeForTerminal(because)}`;
  return sentence[0]!.toUpperCase() + sentence.slice(1);
}

/** What was seen; of a run without a verdict, why it has none. As it is: not escaped. */
export function outcomeReason(outcome: Outcome): string {
  return outcome.status === "done" ? outcome.verdict.because : outcome.reason;
}

/** How a run's outcome looks, on a terminal and in a page. */
export type OutcomeStyle = "good" | "bad" | "partly" | "dim";

export function outcomeStyle(outcome: Outcome): OutcomeStyle {
  if (outcome.status === "not run") return "dim";
  if (outcome.status === "failed" || outcome.verdict.holds === "no") return "bad";
  return outcome.verdict.holds === "yes" ? "good" : "partly";
}
