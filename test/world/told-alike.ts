/** Tests that both worlds tell the same story. */
import { join } from "node:path";
import { expect } from "vitest";
import type { Lab } from "../../src/lab/lab.ts";
import { runExperiment } from "../../src/lab/run.ts";
import type { Story } from "../../src/lab/story.ts";
import { KernelWorld } from "../../src/world/kernel/kernel-world.ts";
import { CLI } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { compareWithin, experimentOf } from "./stories.ts";

const childScript = join(CLI, "../lab-process.cjs");

/** What the story expects, it expects in each world. */
export function toldAlike(name: string, story: (lab: Lab) => Story): void {
  testNeeding(["a network namespace"], name, () => {
    const experiment = experimentOf(story);
    const run = () => runExperiment(experiment, new KernelWorld({ childScript }));
    expect(compareWithin(3, experiment, run(), run)).toEqual({
      verdicts: { kernel: "yes", model: "yes" },
      differences: [],
    });
  });
}
