/** docs/prove.md: what it shows is what the commands print. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ASSUMPTIONS, QUESTIONS } from "../../src/prove/questions.ts";
import { lastack } from "../support/cli.ts";

const text = readFileSync(new URL("../../docs/prove.md", import.meta.url), "utf8");
const sessions = [...text.matchAll(/```console\n\$ lastack (.*)\n([^]*?)```/g)].map(([, args, shown]) => ({
  args: args!.split(" "),
  parts: shown!.split("[...]\n").filter((part) => part !== ""),
}));

test("it shows sessions", () => expect(sessions.length).toBeGreaterThan(1));

test.each(sessions)("lastack $args", ({ args, parts }) => {
  const { stdout } = lastack(args);
  for (const part of parts) expect(stdout).toContain(part);
});

test("it knows every assumption, and names no question that there is not", () => {
  for (const { id } of ASSUMPTIONS) expect(text).toContain(`| \`${id}\` `);
  for (const [, id] of text.matchAll(/lastack prove ([a-z][a-z-]*)/g)) {
    expect([...QUESTIONS.map((one) => one.id), "list"]).toContain(id);
  }
});
