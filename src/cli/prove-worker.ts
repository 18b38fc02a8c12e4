/** A thread that searches one question after the other, as they are sent to it. */
import { parentPort, workerData } from "node:worker_threads";
import { searching, type Answer, type Job } from "./prove-search.ts";

/** Set to 1 by who wants no more. */
const stopped = new Int32Array(workerData as SharedArrayBuffer);

function answer(job: Job): Answer {
  const search = searching(job);
  for (let step = search.next(); ; step = search.next(Atomics.load(stopped, 0) !== 0)) if (step.done) return step.value;
}

parentPort!.on("message", (job: Job) => parentPort!.postMessage(answer(job)));
