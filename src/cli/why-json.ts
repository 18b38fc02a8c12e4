/** `why --json`; docs/json.md describes it. */
import { explain } from "../remedy/explanation.ts";
import type { Look } from "../remedy/look.ts";
import { toJson } from "../view/escape.ts";
import { JSON_SCHEMA } from "./ls-json.ts";

export function answersAsJson(answers: readonly Look[]): string {
  return `${toJson({ schema: JSON_SCHEMA, ports: answers.map(explain) })}\n`;
}
