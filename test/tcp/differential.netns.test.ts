/** The kernel and the `linux` profile, the same stimulus to each, in every state. */
import { expect } from "vitest";
import { testNeeding } from "../support/needs.ts";
import { compareAll } from "./differential.ts";
import { describeStimulus, KNOWN } from "./stimuli.ts";

testNeeding(
  ["a network namespace", "/dev/net/tun"],
  "thousands of stimuli: the same answers and the same next state, but for what docs/model-vs-kernel.md lists",
  () => {
    const { rows } = compareAll();
    expect(rows.reduce((sum, { cases }) => sum + cases, 0)).toBeGreaterThan(15_000);
    const unexplained = rows
      .flatMap(({ differences }) => differences)
      .filter((difference) => !KNOWN.some(({ covers }) => covers(difference)))
      .map(({ situation, stimulus, kernel, model }) => ({
        case: `${situation}: ${describeStimulus(stimulus)}`,
        kernel,
        model,
      }));
    expect(unexplained).toEqual([]);
  },
  120_000,
);
