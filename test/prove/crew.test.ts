/** Threads that work together, turn by turn. */
import { build } from "esbuild";
import { Worker } from "node:worker_threads";
import { afterEach, beforeAll, expect, test } from "vitest";
import { Crew } from "../../src/prove/crew.ts";
import { addSquares } from "../fixtures/squares.ts";
import { until } from "../support/until.ts";

let code: string;
const workers: Worker[] = [];

beforeAll(async () => {
  const entry = new URL("../fixtures/crew-member.ts", import.meta.url).pathname;
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, platform: "node", write: false });
  code = outputFiles[0]!.text;
});

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

/** A crew with nobody in it but who leads, and a way to have one more join. */
function crewOf(): { crew: Crew; sum: Int32Array; join: () => Worker } {
  const crew = new Crew();
  const sum = new Int32Array(new SharedArrayBuffer(64));
  const join = () => {
    const workerData = { memory: crew.memory, sum: sum.buffer, member: workers.length + 1 };
    const worker = new Worker(code, { eval: true, workerData });
    workers.push(worker);
    return worker;
  };
  return { crew, sum, join };
}

const sumOfSquares = (end: number) => (end * (end - 1) * (2 * end - 1)) / 6;

test("every piece is done once, by one or the other, in every turn, whoever joins meanwhile", async () => {
  const { crew, sum, join } = crewOf();
  const share = addSquares(crew, sum);
  for (let helpers = 0; helpers <= 3; helpers++) {
    if (helpers > 0) join();
    const joined = () => crew.helpers === helpers;
    // Turns go on while one joins; and then for long enough that all have had their share.
    await until(`${helpers} help`, () => {
      for (let turn = 0; turn < 300; turn++) {
        const end = turn % 12;
        sum[0] = 0;
        crew.lead(0, [end], share);
        expect(sum[0]).toBe(sumOfSquares(end));
      }
      return joined();
    });
  }
  sum.fill(0);
  for (let turn = 0; turn < 100; turn++) crew.lead(0, [5], share);
  expect([...sum.subarray(0, 6)]).toEqual([100 * sumOfSquares(5), 100, 100, 100, 100, 0]);
});

test("who leads hears of it if another fails", async () => {
  const { crew, sum, join } = crewOf();
  const failed = new Promise((resolve) => void join().on("error", resolve));
  await until("one helps", () => crew.helpers === 1);
  const idle = addSquares({ claim: () => 1000 } as Crew, sum);
  expect(() => crew.lead(0, [20], idle)).toThrow("a thread of the search has failed");
  expect(await failed).toMatchObject({ message: "13" });
});
