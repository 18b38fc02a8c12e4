/** The counts of docs/prove.md and docs/performance.md are those of the search, each time. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { settingOf, TICK_US } from "../../src/prove/question.ts";
import { ASSUMPTIONS, QUESTIONS } from "../../src/prove/questions.ts";
import { search } from "../../src/prove/search.ts";

const MEMORY = 4e9;
/** The largest of them takes ten seconds alone on a processor. */
const SLOW = { timeout: 120_000 };

const page = (name: string) => readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), "utf8");
const prove = page("prove");
const number = (text: string | undefined) => Number(text!.replaceAll(",", ""));

const questionOf = (id: string) => QUESTIONS.find((named) => named.id === id)!.question;
const without = (id: string) => ASSUMPTIONS.find((one) => one.id === id)!.drop(questionOf("time-wait"));

describe("docs/prove.md, the question time-wait", () => {
  const rows = [...prove.matchAll(/^\| `([a-z0-9-]+)` +\|.*\| +(\d+) \|$/gm)].map(([, id, steps]) => [id!, steps!]);

  test("each assumption is dropped", () => {
    expect(rows.map(([id]) => id)).toEqual(ASSUMPTIONS.map(({ id }) => id));
  });

  test.each(rows)("without %s: %s steps to what must not be", SLOW, (id, steps) => {
    const found = search(settingOf(without(id!)).system, MEMORY);
    expect(found.status).toBe("violated");
    if (found.status === "violated") expect(found.counterexample.steps).toHaveLength(Number(steps));
  });

  test("the ticks are as they are told", () => {
    expect(prove).toContain("counted in ticks of half a second. An MSL is two of them, TIME-WAIT four.");
    expect(TICK_US).toBe(500_000);
    for (const { question } of QUESTIONS) expect(question).toMatchObject({ msl: 2, timeWait: 4 });
  });
});

describe("docs/performance.md, lastack prove", () => {
  const row = /^\| `([a-z-]+)`, holds \| ([\d,]+) \| ([\d,]+) \| (\d+) \| ([\d,]+) and ([\d,]+) \|/gm;
  const rows = [...page("performance").matchAll(row)].map(([, id, ...counts]) => [id!, counts.map(number)] as const);

  test.each(rows)("%s holds: states, generated, depth, hosts of each side: %j", SLOW, (id, counts) => {
    const { system } = settingOf(questionOf(id));
    const { status, distinct, generated, depth } = search(system, MEMORY);
    expect(status).toBe("holds");
    expect([distinct, generated, depth, ...system.sides.map(({ count }) => count)]).toEqual(counts);
  });

  test("docs/prove.md has the same of time-wait, depth in steps", () => {
    const [states, , depth] = rows.find(([id]) => id === "time-wait")![1];
    const told = /holds, which is .*: ([\d,]+) states, none further than\s+(\d+) steps/.exec(prove)!;
    expect(told.slice(1).map(number)).toEqual([states, depth! - 1]);
    expect(prove).toContain(`In the ${(states! / 1e6).toFixed(1)} million states of the question \`time-wait\``);
  });
});
