/** docs/experiments.md: what it takes from the code is true, and the experiment that it teaches with works. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { firstFinLost } from "../../examples/first-fin-lost.ts";
import { update } from "../../scripts/catalogue.ts";
import { CATALOGUE } from "../../src/lab/catalogue/index.ts";
import { runExperiment } from "../../src/lab/run.ts";
import { KernelWorld } from "../../src/world/kernel/kernel-world.ts";
import { CLI } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";

const text = readFileSync(new URL("../../docs/experiments.md", import.meta.url), "utf8");
/** Without what the formatter does to tables. */
const plain = (markdown: string) => markdown.replace(/ +\|/g, " |").replace(/-{3,}/g, "---");

test("the table and the example are those of the code (npm run catalogue)", () => {
  expect(plain(text)).toBe(plain(update(text)));
});

test("every claim that an experiment names is explained", () => {
  for (const claim of new Set(CATALOGUE.flatMap(({ claims }) => claims))) {
    expect(text).toMatch(new RegExp(`^\\| ${claim} +\\| \\S`, "m"));
  }
});

testNeeding(["a network namespace"], "the example runs, and its claim holds", () => {
  const { outcome } = runExperiment(firstFinLost, new KernelWorld({ childScript: join(CLI, "../lab-process.cjs") }));
  expect(outcome).toMatchObject({ status: "done", verdict: { holds: "yes" } });
});
