/** A run in one line. */
import { expect, test } from "vitest";
import { drawSummary } from "../../src/view/summary.ts";
import { TraceBuilder } from "../support/trace-builder.ts";
import { lastAckLost } from "../support/traces.ts";

test("a run's line has its name, its claims, how they fared and why", () => {
  expect(drawSummary(lastAckLost())).toBe(
    "last-ack-lost           A8      holds         the server's FIN came again after 205 ms; the client, in TIME-WAIT, acknowledged it again.",
  );
  expect(drawSummary(lastAckLost(), { width: 60 })).toBe(
    "last-ack-lost           A8      holds         the server's …",
  );
  expect(drawSummary(lastAckLost(), { width: 60, unicode: false })).toMatch(/the server'\.\.\.$/);
});

test("a run that failed, or was not run, says so and has no verdict", () => {
  const t = new TraceBuilder({ id: "no\nname", claims: [] });
  t.trace.outcome = { status: "failed", reason: "the FIN never came" };
  expect(drawSummary(t.trace)).toMatch(/^no\\nname +failed +the FIN never came$/);
  t.trace.outcome = { status: "not run", reason: "no namespaces here" };
  expect(drawSummary(t.trace)).toMatch(/ not run +no namespaces here$/);
  expect(drawSummary(t.trace, { colour: true })).toContain("\u001b[2mnot run");
});
