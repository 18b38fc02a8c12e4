/** Threads that help a search. */
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Shared } from "../prove/helper.ts";

/** Starts so many; they help as soon as they are there, and until they are disposed of. */
export function recruit(shared: Shared, count: number): AsyncDisposable {
  const file = join(import.meta.dirname, "prove-worker.cjs");
  const workers = Array.from({ length: count }, () => new Worker(file, { workerData: shared }));
  // One that can't start does not help; of one that fails at its work the search hears from the crew.
  for (const worker of workers) worker.on("error", () => {});
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}
