/** Random calls on the kernel and in the model: results, segments and states are the same, whatever is called when. */
import { join } from "node:path";
import { expect } from "vitest";
import { runExperiment } from "../../src/lab/run.ts";
import { KernelWorld } from "../../src/world/kernel/kernel-world.ts";
import { CLI } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { seed } from "../support/random.ts";
import { randomStory } from "./random-story.ts";
import { compareWithin } from "./stories.ts";

const childScript = join(CLI, "../lab-process.cjs");
const STORIES = 10;
/** The same ten each time, unless others are asked for: LASTACK_SEED=$RANDOM. */
const FIRST = process.env["LASTACK_SEED"] === undefined ? 1 : seed;
const CALLS = 60;
/** How often the kernel may be asked for the model's story. */
const PATIENCE = 3;

testNeeding(["a network namespace"], "whatever four processes call on two hosts", () => {
  for (let i = 0; i < STORIES; i++) {
    const experiment = randomStory(FIRST + i, CALLS);
    const run = () => runExperiment(experiment, new KernelWorld({ childScript }));
    const { verdicts, differences } = compareWithin(PATIENCE, experiment, run(), run);
    expect(verdicts, experiment.title).toEqual({ kernel: "yes", model: "yes" });
    expect(differences, experiment.title).toEqual([]);
  }
});
