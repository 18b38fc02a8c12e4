/** A thread that searches one question after the other, as they are sent to it. */
import { parentPort, workerData } from "node:worker_threads";
import { searching, TOLD_EVERY_MS, type Answer, type Job } from "./prove-search.ts";
import type { Told } from "./prove-threads.ts";

/** Set to 1 by who wants no more. */
const stopped = new Int32Array(workerData as SharedArrayBuffer);

function say(told: Told): void {
  parentPort!.postMessage(told);
}

function answer(job: Job): Answer {
  const search = searching(job);
  let toldAtMs = performance.now();
  for (let step = search.next(); ; step = search.next(Atomics.load(stopped, 0) !== 0)) {
    if (step.done) return step.value;
    if (performance.now() - toldAtMs < TOLD_EVERY_MS) continue;
    toldAtMs = performance.now();
    say({ progress: step.value.progress });
  }
}

parentPort!.on("message", (job: Job) => say({ answer: answer(job) }));
