/** docs/node.md and README.md: their examples run, and print what is said. */
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect } from "vitest";
import { endAll, Running } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { enterNamespace } from "../support/tcp.ts";
import { runProgram } from "./program.ts";

const NAMESPACE = ["a network namespace"] as const;

beforeEach(() => enterNamespace());
afterEach(endAll);

/** The text's blocks of this language, in its order. */
function blocks(file: string, language: string): string[] {
  const text = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
    .filter((block) => block[1] === language)
    .map((block) => block[2]!);
}

const scripts = blocks("docs/node.md", "js");
const outputs = blocks("docs/node.md", "console");

/** What differs from run to run, as in the text. */
function normal(text: string): string {
  return text
    .replace(/pid \d+/g, "pid 4242")
    .replace(/descriptor \d+/g, "descriptor 18")
    .replace(/running for \d+ s/g, "running for 2 s");
}

const HOLDER = 'require("net").createServer().listen(3000, () => console.log("listens"));';

/** Runs a script of the text while another program has port 3000. */
async function outputOf(script: string): Promise<string> {
  await new Running([process.execPath, "--eval", HOLDER]).says(/listens/);
  const preload = ["--import", "lastack/register", "--input-type=module"];
  const { stdout, stderr } = runProgram(script, [], { preload });
  return normal(`${stdout}${stderr}`);
}

testNeeding(NAMESPACE, "the preload's two examples", async () => {
  const [message] = /^Error: .*$/m.exec(outputs[0]!)!;
  expect(await outputOf(scripts[0]!)).toContain(`\n${message}\n`);
  await endAll();
  expect(await outputOf(scripts[1]!)).toBe(outputs[1]!);
});

for (const [i, script] of scripts.entries()) {
  if (i < 2) continue;
  const [, name] = /import \{ (\w+) \} from "lastack"/.exec(script)!;
  // Its servers would run on.
  testNeeding(NAMESPACE, `the library's example of ${name}`, async () => {
    expect(await outputOf(`${script}process.exit();`)).toBe(outputs[i]!);
  });
}

testNeeding(NAMESPACE, "README's example", async () => {
  const [script] = blocks("README.md", "js") as [string];
  const headline = blocks("docs/node.md", "console").at(-2)!.split("\n")[0]!;
  expect(await outputOf(`${script}console.log(port > 3000);process.exit();`)).toBe(`${headline}\ntrue\n`);
});
