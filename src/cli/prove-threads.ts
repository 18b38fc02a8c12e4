/** Questions searched on several threads: each answer is what one thread alone would find. */
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Answer, Job } from "./prove-search.ts";

/** Searches them all, so many at a time. Returns the answers in the order of the jobs; each is told of when it is there. */
export async function searchOnThreads(
  jobs: readonly Job[],
  onAnswer: (count: number) => void,
  threads = availableParallelism(),
): Promise<Answer[]> {
  const shared = new SharedArrayBuffer(4);
  const stop = () => void Atomics.store(new Int32Array(shared), 0, 1);
  process.on("SIGINT", stop);
  const answers: Answer[] = [];
  let next = 0;
  let answered = 0;
  const work = async () => {
    const worker = new Worker(join(import.meta.dirname, "prove-worker.cjs"), { workerData: shared });
    try {
      while (next < jobs.length) {
        const i = next++;
        worker.postMessage(jobs[i]);
        [answers[i]] = (await once(worker, "message")) as [Answer];
        onAnswer(++answered);
      }
    } finally {
      await worker.terminate();
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(threads, jobs.length) }, work));
  } finally {
    process.off("SIGINT", stop);
  }
  return answers;
}
