/** Every experiment of the catalogue on the running kernel, and the same in the model. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { CATALOGUE } from "../../src/lab/catalogue/index.ts";
import { runExperiment } from "../../src/lab/run.ts";
import { readTrace } from "../../src/trace/schema.ts";
import { drawLadder } from "../../src/view/ladder/ladder.ts";
import { KernelWorld } from "../../src/world/kernel/kernel-world.ts";
import { CLI } from "../support/cli.ts";
import { lacking, testNeeding } from "../support/needs.ts";
import { compareWithin, MAY_DIFFER } from "../world/stories.ts";

const childScript = join(CLI, "../lab-process.cjs");

test("every file of the catalogue is in it, under its own name", () => {
  const files = readdirSync(new URL("../../src/lab/catalogue", import.meta.url));
  const ids = files.filter((file) => file !== "index.ts").map((file) => file.replace(/\.ts$/, ""));
  expect(CATALOGUE.map(({ id }) => id).sort()).toEqual(ids.sort());
});

/** How often the kernel may be asked for the model's story. */
const PATIENCE = 3;

describe("the expectations of each are met, and the model tells the same story", () => {
  afterEach(() => new Promise(setImmediate)); // Node waits for the processes that have ended

  for (const experiment of CATALOGUE) {
    testNeeding(["a network namespace"], experiment.id, (context) => {
      const run = () => runExperiment(experiment, new KernelWorld({ childScript }));
      const trace = run();
      const { outcome } = trace;
      if (outcome.status === "not run") lacking(context, outcome.reason.replace(/^needs /, ""));
      if (outcome.status === "failed") throw new Error(drawLadder(trace, { width: 120, colour: false }));
      expect(readTrace(JSON.stringify(trace))).toEqual({ ok: true, trace: JSON.parse(JSON.stringify(trace)) });
      const { verdicts, differences } = compareWithin(MAY_DIFFER[experiment.id] ? 1 : PATIENCE, experiment, trace, run);
      expect(verdicts.model).toBe(verdicts.kernel);
      if (!MAY_DIFFER[experiment.id]) expect(differences).toEqual([]);
    });
  }
});
