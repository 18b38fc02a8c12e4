/** One experiment many times over, with a setting that changes: how often it goes wrong. */
import type { Experiment } from "./experiment.ts";
import { runExperiment } from "./run.ts";
import type { World } from "./world.ts";

/** What became of the runs with one value of the setting. */
export interface SweepPoint {
  value: number;
  runs: number;
  /** How many of them did not meet an expectation. */
  wrong: number;
  /** Why, the most frequent first. */
  reasons: { reason: string; count: number }[];
}

/** Runs the experiment so often in worlds made for this value. */
export function runPoint(
  experiment: Experiment,
  value: number,
  runs: number,
  world: (run: number) => World,
): SweepPoint {
  const counts = new Map<string, number>();
  let wrong = 0;
  for (let run = 1; run <= runs; run++) {
    const { outcome } = runExperiment(experiment, world(run));
    if (outcome.status === "done") continue;
    wrong++;
    counts.set(outcome.reason, (counts.get(outcome.reason) ?? 0) + 1);
  }
  const reasons = [...counts].map(([reason, count]) => ({ reason, count }));
  return { value, runs, wrong, reasons: reasons.sort((a, b) => b.count - a.count) };
}

/** The values of a sweep, both ends included, in steps of the same size; the last step may be smaller. */
export function sweepValues(from: number, to: number, step: number): number[] {
  const count = Math.floor((to - from) / step + 1e-9);
  const values = Array.from({ length: count + 1 }, (_, i) => from + i * step);
  return values.at(-1)! < to - 1e-9 * Math.abs(to) ? [...values, to] : values;
}
