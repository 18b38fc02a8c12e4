/** The kernel and the `linux` profile, the same stimulus to each, in every state. */
import { readFileSync } from "node:fs";
import { release } from "node:os";
import { expect } from "vitest";
import { testNeeding } from "../support/needs.ts";
import { compareAll } from "./differential.ts";
import { describeStimulus, KNOWN } from "./stimuli.ts";

/** Linux changes: on another than the page was written on, this part of all cases may be different. */
const ELSEWHERE_AT_MOST = 0.05;

/** Whether the running kernel is of the version that docs/model-vs-kernel.md tells of. */
function isDocumentedKernel(): boolean {
  const text = readFileSync(new URL("../../docs/model-vs-kernel.md", import.meta.url), "utf8");
  return release().startsWith(/^Linux (\d+\.\d+\.)/m.exec(text)![1]!);
}

testNeeding(
  ["a network namespace", "/dev/net/tun"],
  "thousands of stimuli: the same answers and the same next state, but for what docs/model-vs-kernel.md lists",
  () => {
    const { rows } = compareAll();
    const cases = rows.reduce((sum, one) => sum + one.cases, 0);
    expect(cases).toBeGreaterThan(25_000);
    const unexplained = rows
      .flatMap(({ differences }) => differences)
      .filter((difference) => !KNOWN.some(({ covers }) => covers(difference)))
      .map(({ situation, stimulus, kernel, model }) => ({
        case: `${situation}: ${describeStimulus(stimulus)}`,
        kernel,
        model,
      }));
    if (isDocumentedKernel()) expect(unexplained).toEqual([]);
    else expect(unexplained.length).toBeLessThan(ELSEWHERE_AT_MOST * cases);
  },
  120_000,
);
