/** docs/node.md: its examples run, and print what it says. */
import { readFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { endAll, Running } from "../support/cli.ts";
import { runProgram } from "./program.ts";

afterEach(endAll);

/** The blocks in the order of the text. */
const BLOCKS = [
  ...readFileSync(new URL("../../docs/node.md", import.meta.url), "utf8").matchAll(/^```(\w+)\n(.*?)^```$/gms),
].map(([, language, text]) => ({ language: language!, text: text! }));

const scripts = BLOCKS.filter(({ language }) => language === "js").map(({ text }) => text);
const outputs = BLOCKS.filter(({ language }) => language === "console").map(({ text }) => text);

/** What differs from run to run, as in the text. */
function normal(text: string, port: number): string {
  return text
    .replaceAll(String(port), "3000")
    .replace(/pid \d+/g, "pid 4242")
    .replace(/\(pid 4242, [^)]+\)/g, "(pid 4242, root)")
    .replace(/running for .*$/gm, "running for 2 s");
}

const HOLDER = 'const server = require("net").createServer().listen(0, () => console.log(server.address().port));';

/** Runs a script of the text, on a port that another program has. */
async function outputOf(script: string): Promise<string> {
  const [port] = (await new Running([process.execPath, "--eval", HOLDER]).says(/\d+/)).map(Number) as [number];
  const preload = ["--import", "lastack/register", "--input-type=module"];
  const { stdout, stderr } = runProgram(script.replaceAll("3000", String(port)), [], { preload });
  return normal(`${stdout}${stderr}`, port);
}

test("the preload's two examples", async () => {
  const [message] = /^Error: .*$/m.exec(outputs[0]!)!;
  expect(await outputOf(scripts[0]!)).toContain(`\n${message}\n`);
  expect(await outputOf(scripts[1]!)).toBe(outputs[1]!);
});
