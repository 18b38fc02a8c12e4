/** docs/fix.md: every example is run, and prints what it says; numbers may be others. */
import { spawnSync } from "node:child_process";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import { makeDirectory, removeDirectory } from "../cli/helpers.ts";
import { CLI } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { enterNamespace } from "../support/tcp.ts";

const text = readFileSync(new URL("../../docs/fix.md", import.meta.url), "utf8");
const blocks = (language: string) =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, block]) => block!);

let directory = "";
beforeAll(() => {
  directory = makeDirectory();
  symlinkSync(CLI, join(directory, "lastack"));
  writeFileSync(join(directory, "server.js"), blocks("js")[0]!);
});
afterAll(() => removeDirectory(directory));
beforeEach(() => enterNamespace());

/** Without numbers and places, which are another run's. */
const comparable = (output: string) =>
  output
    .replace(/sudo \S+\/node \S+\/lastack /g, "sudo node lastack ")
    .replace(/\d+(\.\d+)?/g, "0")
    .trimEnd();

/** What people would see to be so before they go on, by how a command begins or ends. */
const UNTIL: readonly [RegExp, string][] = [
  [/&$/, "lastack wait 3000 --open --timeout 10s >/dev/null 2>&1"],
  [/^exec 3</, "until lastack reuse 3000 --dry-run >/dev/null; do :; done"], // accepted
  [/^kill/, "until lastack ls 3000 --json-lines | grep -q FIN-WAIT-2; do :; done"],
];

/** The block's commands as a script. What is left over is ended. */
function scriptOf(block: string): string {
  const commands = block
    .split("\n")
    .filter((line) => line.startsWith("$ "))
    .map((line) => line.slice(2));
  const lines = commands.flatMap((command) => [
    command,
    ...UNTIL.filter(([pattern]) => pattern.test(command)).map(([, wait]) => wait),
  ]);
  return [...lines, "exec 3>&-", "kill $(jobs -p) 2>/dev/null", "wait", "lastack free 3000 --yes >/dev/null"].join(
    "\n",
  );
}

for (const [i, block] of blocks("console").entries()) {
  const title = block.split("\n").findLast((line) => line.startsWith("$ lastack"));
  testNeeding(["a network namespace", "a second uid"], `example ${i + 1}: ${title ?? block.split("\n")[1]}`, () => {
    const env = { ...process.env, PATH: `${directory}:${dirname(process.execPath)}:${process.env["PATH"]}` };
    const { stdout, error } = spawnSync("bash", ["-c", `exec 2>&1\n${scriptOf(block)}`], {
      cwd: directory,
      env,
      encoding: "utf8",
      timeout: 30_000,
    });
    if (error) throw error;
    const said = block
      .split("\n")
      .filter((line) => !line.startsWith("$ "))
      .join("\n");
    expect(comparable(stdout)).toBe(comparable(said));
  });
}
