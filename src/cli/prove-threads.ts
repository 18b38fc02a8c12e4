/** Questions searched on several threads: each answer is what one thread alone would find. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Progress } from "../prove/search.ts";
import type { Answer, Job } from "./prove-search.ts";

/** What a thread says. */
export type Told = { progress: Progress } | { answer: Answer };

/** How far several searches are, of which `answered` have an answer. The states are those of all, the bytes those in use. */
export interface Together {
  answered: number;
  distinct: number;
  /** Of the search that has come furthest among those under way. */
  depth: number;
  bytes: number;
}

/** Has a thread search, and hears how far it is. */
function ask(worker: Worker, job: Job, onProgress: (progress: Progress) => void): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const hear = (told: Told) => {
      if ("progress" in told) {
        onProgress(told.progress);
        return;
      }
      worker.off("message", hear).off("error", reject);
      resolve(told.answer);
    };
    worker.on("message", hear).on("error", reject).postMessage(job);
  });
}

/** Searches them all, so many at a time. Returns the answers in the order of the jobs. */
export async function searchOnThreads(
  jobs: readonly Job[],
  onProgress: (together: Together) => void,
  threads = availableParallelism(),
): Promise<Answer[]> {
  const shared = new SharedArrayBuffer(4);
  const stop = () => void Atomics.store(new Int32Array(shared), 0, 1);
  process.on("SIGINT", stop);
  const answers: Answer[] = [];
  const underWay = new Map<number, Progress>();
  let next = 0;
  const tell = () => {
    const found = answers.flatMap((answer) => answer.found);
    const searching = [...underWay.values()];
    onProgress({
      answered: found.length,
      distinct: [...found, ...searching].reduce((sum, { distinct }) => sum + distinct, 0),
      depth: Math.max(0, ...searching.map(({ depth }) => depth)),
      bytes: searching.reduce((sum, { bytes }) => sum + bytes, 0),
    });
  };
  const work = async () => {
    const worker = new Worker(join(import.meta.dirname, "prove-worker.cjs"), { workerData: shared });
    try {
      while (next < jobs.length) {
        const i = next++;
        const answer = await ask(worker, jobs[i]!, (progress) => {
          underWay.set(i, progress);
          tell();
        });
        answers[i] = answer;
        underWay.delete(i);
        tell();
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
