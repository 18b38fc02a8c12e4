/** `why --json`; docs/json.md describes it. */
import { explain, type ExplainedFinding } from "../remedy/explanation.ts";
import type { Look } from "../remedy/look.ts";
import { toJson } from "../view/escape.ts";
import { typedRemedy } from "./as-root.ts";
import { JSON_SCHEMA } from "./ls-json.ts";

const withTyped = ({ remedies, ...finding }: ExplainedFinding) => ({ ...finding, remedies: remedies.map(typedRemedy) });

export function answersAsJson(answers: readonly Look[]): string {
  const ports = answers.map(explain).map((one) => ({ ...one, findings: one.findings.map(withTyped) }));
  return `${toJson({ schema: JSON_SCHEMA, ports })}\n`;
}
