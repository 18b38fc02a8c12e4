/** Every experiment of the catalogue in the model: none is exempt, and each run is like the one before. */
import { describe, expect, test } from "vitest";
import { CATALOGUE } from "../../../src/lab/catalogue/index.ts";
import { restartOf } from "../../../src/lab/restart-program.ts";
import { hostNames, runExperiment } from "../../../src/lab/run.ts";
import { readTrace } from "../../../src/trace/schema.ts";
import { drawLadder } from "../../../src/view/ladder/ladder.ts";
import { ModelWorld } from "../../../src/world/model/model-world.ts";

describe("the expectations of each are met", () => {
  test.each(CATALOGUE.map((experiment) => [experiment.id, experiment] as const))("%s", (_, experiment) => {
    const trace = runExperiment(experiment, new ModelWorld());
    if (trace.outcome.status !== "done") throw new Error(drawLadder(trace, { width: 120, colour: false }));
    expect(readTrace(JSON.stringify(trace))).toEqual({ ok: true, trace: JSON.parse(JSON.stringify(trace)) });
    expect(runExperiment(experiment, new ModelWorld())).toEqual(trace);
    expect(hostNames(experiment)).toEqual(trace.hosts.map(({ name }) => name));
  });
});

test("a program of the user's can't run there, and the outcome says so", () => {
  const { outcome } = runExperiment(restartOf("node server.js"), new ModelWorld());
  expect(outcome).toMatchObject({ status: "not run", reason: expect.stringContaining("the kernel") });
});
