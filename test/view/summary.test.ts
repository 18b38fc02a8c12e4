/** A run in one line, or a few. */
import { expect, test } from "vitest";
import { drawSummary } from "../../src/view/summary.ts";
import { TraceBuilder } from "../support/trace-builder.ts";
import { lastAckLost, restart, simultaneousClose } from "../support/traces.ts";

test("a run's line has its name, its claims, how they fared and why", () => {
  expect(drawSummary(lastAckLost())).toBe(
    "last-ack-lost  A8         holds         the server's FIN came again after 205 ms; the client, in TIME-WAIT, acknowledged it again.",
  );
});

test("what does not fit into the width goes on below, and all of it where there is little room", () => {
  expect(drawSummary(lastAckLost(), { width: 100 })).toBe(`\
last-ack-lost  A8         holds         the server's FIN came again after 205 ms; the client, in
                                        TIME-WAIT, acknowledged it again.`);
  expect(drawSummary(lastAckLost(), { width: 80 })).toBe(`\
last-ack-lost  A8         holds
    the server's FIN came again after 205 ms; the client, in TIME-WAIT,
    acknowledged it again.`);
});

test("lines of several runs are columns as wide as the longest id", () => {
  const lines = [restart(), lastAckLost(), simultaneousClose()].map((trace) =>
    drawSummary(trace, { idWidth: restart().experiment.id.length, width: 120 }),
  );
  expect(lines.map((line) => line.slice(0, 61))).toEqual([
    "restart-without-reuseaddr  A3,A4      holds partly  bind fail",
    "last-ack-lost              A8         holds         the serve",
    "simultaneous-close         A9         failed        both ends",
  ]);
});

test("a run that failed, or was not run, says so and has no verdict", () => {
  const t = new TraceBuilder({ id: "no\nname", claims: [] });
  t.trace.outcome = { status: "failed", reason: "the FIN never came" };
  expect(drawSummary(t.trace)).toMatch(/^no\\nname +failed +the FIN never came$/);
  t.trace.outcome = { status: "not run", reason: "no namespaces here" };
  expect(drawSummary(t.trace)).toMatch(/ not run +no namespaces here$/);
  expect(drawSummary(t.trace, { colour: true })).toContain("\u001b[2mnot run");
});
