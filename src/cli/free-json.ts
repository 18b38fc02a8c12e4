/** `free --json`; docs/json.md describes it. */
import { freedPort, type Attempt } from "../remedy/freed-port.ts";
import { toJson } from "../view/escape.ts";
import { typedRemedy } from "./as-root.ts";
import { JSON_SCHEMA } from "./ls-json.ts";

function portObject(attempt: Attempt) {
  const { plan, ...port } = freedPort(attempt);
  const refusals = plan.refusals.map((refusal) => ({ ...refusal, remedies: refusal.remedies.map(typedRemedy) }));
  return { ...port, plan: { ...plan, refusals } };
}

export function freedAsJson(attempts: readonly Attempt[], status: number): string {
  return `${toJson({ schema: JSON_SCHEMA, status, ports: attempts.map(portObject) })}\n`;
}
