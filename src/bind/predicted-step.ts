/** Answers of a scenario as docs/predict.md describes them: plain data, for JSON and for programs. */
import type { Answer } from "./answer.ts";
import type { Request } from "./requests.ts";
import { RULES, type Rule, type RuleName } from "./rules.ts";
import type { State, System } from "./state.ts";

/** One request of a step, answered; a step that could not be made has none. */
export interface Row {
  step: number;
  request: Request | undefined;
  /** The state that it met. */
  before?: State;
  predicted?: Answer;
}

/** An answer as docs/predict.md describes it. @public */
export interface PredictedStep {
  /** From 0, as in the scenario. */
  step: number;
  request: Request;
  predicted: Omit<Answer, "rule"> & { rule: Rule & { name: RuleName } };
}

/** A step that was left out: its socket was not made. @public */
export interface StepLeftOut {
  step: number;
  leftOut: true;
}

export function predictedStep({ step: number, request, predicted }: Row): PredictedStep | StepLeftOut {
  if (!request || !predicted) return { step: number, leftOut: true };
  const { rule: name, ...answer } = predicted;
  const { text, file, function: where } = RULES[name];
  return { step: number, request, predicted: { ...answer, rule: { name, text, file, function: where } } };
}

/** Whether a system's answers are rules that are held against its kernel, or read in documents. */
export const basisOf = (system: System) => (system === "linux" ? "rules" : "documents");
