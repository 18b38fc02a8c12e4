/** docs/questions.md: every command in it is one, and those that answer without a host give the answer that stands there. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { CATALOGUE } from "../../src/lab/catalogue/index.ts";
import { lastack } from "../support/cli.ts";

const root = new URL("../../", import.meta.url);
const text = readFileSync(new URL("docs/questions.md", root), "utf8");
const commands = [...text.matchAll(/`lastack (.*?)`/gs)].map((match) => match[1]!.split(/\s+/));

test("25 questions, each with a command", () => {
  const questions = text.split(/^\*\*/m).slice(1);
  expect(questions).toHaveLength(25);
  for (const question of questions) expect(question).toMatch(/`lastack /);
});

test("experiments and scenarios are there", () => {
  const ids = CATALOGUE.map(({ id }) => id);
  for (const [command, ...words] of commands) {
    if (command === "lab") expect(ids).toContain(words[1]);
    else if (command === "predict") expect(existsSync(new URL(words[0]!, root)), words[0]).toBe(true);
    else expect(["why", "free", "ls", "8000", "3000"]).toContain(command);
  }
});

const NO = /EADDRINUSE/;
test.each([
  ["both-families", "linux", NO],
  ["shared-port", "linux", /c +bind 0\.0\.0\.0:8000 +EADDRINUSE/],
  ["taken-over", "windows", /intruder +bind 0\.0\.0\.0:8000 +granted/],
  ["taken-over", "linux", /intruder +bind 0\.0\.0\.0:8000 +EADDRINUSE \(98\)/],
  ["excluded-range", "windows", /bind 0\.0\.0\.0:50010 +EACCES \(10013\)/],
  ["port-5000", "macos", /EADDRINUSE \(48\)\n.*ControlCenter, AirPlay/],
  ["restart", "windows", /second +bind 0\.0\.0\.0:8000 +granted/],
  ["ephemeral-collision", "linux", NO],
])("predict examples/%s.json --os %s", (name, os, answer) => {
  const file = fileURLToPath(new URL(`examples/${name}.json`, root));
  expect(commands.flat().join(" ")).toContain(`examples/${name}.json`);
  const { stdout, status } = lastack(["predict", file, "--os", os]);
  expect(stdout).toMatch(answer);
  expect(status).toBe(0);
});
