/**
 * The rules against the running kernel: random scenarios, step by step. A longer run is `npm run bench:bind`. Another
 * seed: LASTACK_SEED.
 */
import { expect } from "vitest";
import { compare } from "../support/bind-scenario.ts";
import { testNeeding } from "../support/needs.ts";
import { seed } from "../support/random.ts";

const STEPS = 20_000;

testNeeding(["a network namespace"], "the rules say of 20,000 random steps what the kernel does", () => {
  const { disagreement, steps } = compare(STEPS, seed, [0]);
  expect(disagreement).toBeUndefined();
  expect(steps).toBeGreaterThanOrEqual(STEPS);
});

testNeeding(["a network namespace", "a second uid"], "and of sockets of several users", () => {
  expect(compare(STEPS, seed, [0, 0, 1000]).disagreement).toBeUndefined();
});
