/**
 * `npm run bench:bind [STEPS] [SEED]`: the rules of binding against the running kernel, a million random steps without
 * numbers. Ends with status 1 at the first step on which the two do not agree, shown at its smallest.
 */
import { compare } from "../test/support/bind-scenario.ts";

const steps = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? Math.floor(Math.random() * 2 ** 31));
const uids = process.getuid?.() === 0 ? [0, 0, 1000] : [0];

const start = performance.now();
let told = 0;
const { disagreement, ...done } = compare(steps, seed, uids, (count) => {
  if (count < told + 50_000) return;
  told = count;
  process.stdout.write(`${count} steps, ${((performance.now() - start) / 1000).toFixed(0)} s\n`);
});
process.stdout.write(
  `seed ${seed}: ${done.steps} steps in ${done.scenarios} scenarios, ${disagreement ? "then" : "no"} disagreement\n`,
);
if (disagreement) process.stdout.write(`${disagreement}\n`);
process.exitCode = disagreement ? 1 : 0;
