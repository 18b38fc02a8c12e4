/** A search that is helped by other threads finds what it finds alone: every count, and the very same way. */
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { settingOf, type Question } from "../../src/prove/question.ts";
import { Search, type Found } from "../../src/prove/search.ts";
import { CLI } from "../support/cli.ts";
import { until } from "../support/until.ts";
import { questionOf } from "./asked.ts";

const MEMORY = 5e8;
const WORKER = join(CLI, "..", "prove-worker.cjs");

/** `joinAt`: at how many states the helpers come. */
async function searched(question: Question, helpers: number, joinAt = 0): Promise<Found> {
  const search = new Search(settingOf(question).system, MEMORY);
  const workers: Worker[] = [];
  try {
    for (;;) {
      if (workers.length < helpers && search.progress.distinct >= joinAt) {
        const workerData = search.shared;
        while (workers.length < helpers) workers.push(new Worker(WORKER, { workerData }));
        await until(`${helpers} help`, () => search.helpers === helpers);
      }
      const found = search.advance(5000);
      if (found) return found;
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

test.each([
  ["last-ack-lost", undefined, "holds"],
  ["last-ack-lost", "time-wait", "violated"],
  ["old-duplicate", undefined, "holds"],
  ["old-duplicate", "no-abort", "violated"],
  ["last-ack-lost", "both-close", "violated"],
])("%s, without %s", async (id, without, status) => {
  const question = questionOf(id, without);
  const alone = await searched(question, 0);
  expect(alone.status).toBe(status);
  for (const helpers of [1, 3]) {
    expect(await searched(question, helpers)).toEqual(alone);
  }
  expect(await searched(question, 2, 1000)).toEqual(alone);
});
