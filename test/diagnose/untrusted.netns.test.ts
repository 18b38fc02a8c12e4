/** A process that names itself with escapes, in a directory with line ends, with 2 MB of arguments. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { compile, makeDirectory, removeDirectory } from "../cli/helpers.ts";
import { CLI, endAll, lastack, Running } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { enterNamespace } from "../support/tcp.ts";
import { why } from "./situation.ts";

const NEEDED = ["a network namespace", "a C compiler"] as const;
const NAME = "x\u001b[31m\n\u202egpj\u001b]0;\u0007\u009b1m\\";
const ESCAPED = "x\\x1b[31m\\n\\u202egpj\\x1b]0;\\x07\\x9b1m\\\\";
// eslint-disable-next-line no-control-regex
const HARMFUL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
/** MAX_ARG_STRLEN is 128 KB, all of them may take a quarter of the stack's limit of 8 MB. */
const LONG = Array.from({ length: 15 }, (_, i) => `--long${i}=`.padEnd(130_000, "\u001b"));

let directory = "";
beforeAll(() => (directory = makeDirectory()));
afterAll(() => removeDirectory(directory));
beforeEach(() => enterNamespace());
afterEach(endAll);

async function hostile(): Promise<Running> {
  const cwd = join(directory, "line\nFree: rm -rf /\u001b[2J");
  mkdirSync(cwd, { recursive: true });
  const program = compile("listener", `${directory}/${NAME}`);
  const running = new Running([program, "8000", "--password", "hunter2", "$(reboot)", ...LONG], {
    cwd,
    env: {},
  });
  await running.says(/^listens$/m);
  return running;
}

testNeeding(NEEDED, "what a process says of itself is escaped in the answer, and cut", async () => {
  const { pid } = await hostile();
  const { stdout, stderr, status } = lastack(["8000"]);
  expect(stderr).toBe("");
  expect(status).toBe(1);
  expect(stdout.split("\n")[0]).toContain(`Port 8000 is taken: ${ESCAPED} (pid ${pid}, root) listens on`);
  expect(stdout).toContain("line\\nFree: rm -rf /\\x1b[2J");
  expect(stdout).not.toMatch(HARMFUL);
  expect(stdout).not.toMatch(/^Free/m);
  expect(stdout.length).toBeLessThan(8000);
});

testNeeding(NEEDED, "secrets of the command line are shown nowhere", async () => {
  await hostile();
  for (const args of [["8000"], ["8000", "--json"]]) expect(lastack(args).stdout).not.toContain("hunter2");
});

testNeeding(NEEDED, "JSON has it exactly, escaped; commands are words, not text for a shell", async () => {
  const { pid } = await hostile();
  const { stdout } = lastack(["why", "8000", "--json"]);
  expect(stdout).not.toMatch(HARMFUL);
  const told = why(8000);
  expect(told.processes[0]).toMatchObject({ pid, program: NAME });
  expect(told.processes[0]!.arguments).toHaveLength(5 + LONG.length);
  expect(told.findings[0]!.remedies[0]!.command).toEqual([process.execPath, CLI, "free", "8000"]);
  expect(told.findings[0]!.remedies[0]!.what).toBe(`end ${NAME} (pid ${pid}, root)`);
});

testNeeding(NEEDED, "what would be ended, or changed, is told as harmlessly, and as JSON too", async () => {
  const { pid } = await hostile();
  for (const command of ["free", "reuse"]) {
    const { stdout, stderr } = lastack([command, "8000", "--dry-run"]);
    expect(stdout, command).toContain(`${ESCAPED} (pid ${pid}`);
    expect(stdout + stderr, command).not.toMatch(HARMFUL);
    const json = lastack([command, "8000", "--dry-run", "--json"]).stdout;
    expect(json, command).toContain(String(pid));
    expect(json, command).not.toMatch(HARMFUL);
  }
});
