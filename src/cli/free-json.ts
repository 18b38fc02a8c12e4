/** `free --json`; docs/json.md describes it. */
import { freedPort, type Attempt } from "../remedy/freed-port.ts";
import { toJson } from "../view/escape.ts";
import { JSON_SCHEMA } from "./ls-json.ts";

export function freedAsJson(attempts: readonly Attempt[], status: number): string {
  return `${toJson({ schema: JSON_SCHEMA, status, ports: attempts.map(freedPort) })}\n`;
}
