/** Sweeps: how often an experiment goes wrong as a setting changes. */
import { expect, test } from "vitest";
import { CATALOGUE } from "../../src/lab/catalogue/index.ts";
import { runPoint, sweepValues } from "../../src/lab/sweep.ts";
import { applySetting } from "../../src/world/model/setting-names.ts";
import { ModelWorld } from "../../src/world/model/model-world.ts";
import { PLAIN } from "../../src/world/model/settings.ts";

test.each([
  [0, 4, 1, [0, 1, 2, 3, 4]],
  [0, 1, 0.3, [0, 0.3, 0.6, 0.9, 1]],
  [0, 0.5, 0.1, [0, 0.1, 0.2, 0.3, 0.4, 0.5]],
  [5, 6, 7, [5, 6]],
])("from %d to %d in steps of %d", (from, to, step, values) => {
  const found = sweepValues(from, to, step);
  expect(found).toHaveLength(values.length);
  for (const [i, value] of values.entries()) expect(found[i]).toBeCloseTo(value, 9);
});

const experiment = CATALOGUE.find(({ id }) => id === "last-ack-lost")!;

function pointAt(loss: number) {
  const settings = applySetting(PLAIN, `loss=${loss}`);
  return runPoint(experiment, loss, 20, (seed) => new ModelWorld({ ...settings, seed }));
}

test("a point counts what went wrong, and says why", () => {
  expect(pointAt(0)).toEqual({ value: 0, runs: 20, wrong: 0, reasons: [] });
  const { wrong, reasons } = pointAt(0.5);
  expect(wrong).toBeGreaterThan(5);
  expect(reasons.reduce((sum, { count }) => sum + count, 0)).toBe(wrong);
  expect(reasons.map(({ count }) => count)).toEqual(reasons.map(({ count }) => count).toSorted((a, b) => b - a));
});
