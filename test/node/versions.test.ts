/** `lastack/register` on other versions of Node than those that .ci/run runs all tests on, from npm's packages of them. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectFromRegistry, installFromRegistry, makeDirectory, removeDirectory } from "../cli/helpers.ts";
import type { Outcome } from "../support/cli.ts";
import { PRELOADS, reported, runProgram, takenPort } from "./program.ts";

const VERSIONS = ["22.23.3", "26.10.0"];
const PACKAGE = `node-${process.platform}-${process.arch}`;
const LISTEN =
  'const server = require("http").createServer().on("error", (error) => report(error, server)).listen(Number(process.argv[1]), "127.0.0.1");';

let directory = "";
let installed: Outcome;
beforeAll(() => {
  directory = makeDirectory();
  // One call of npm: it fetches them side by side.
  const packages = VERSIONS.map((version) => `${version}@npm:${PACKAGE}@${version}`);
  installed = installFromRegistry(directory, "--ignore-scripts", ...packages.map((alias) => `node-${alias}`));
}, 240_000);
afterAll(() => removeDirectory(directory));

for (const version of VERSIONS) {
  test(`Node ${version}`, async (context) => {
    expectFromRegistry(context, installed);
    const node = join(directory, "node_modules", `node-${version}`, "bin/node");
    expect(runProgram("console.log(process.version)", [], { node }).stdout).toBe(`v${version}\n`);
    const port = await takenPort();
    const plain = reported(LISTEN, [port], { node, env: { LASTACK: "off" } });
    for (const preload of Object.entries(PRELOADS)) {
      const mine = reported(LISTEN, [port], { node, preload });
      expect(mine.message).toBe(`${plain.message}: node (pid ${process.pid}) listens on 127.0.0.1:${port}`);
      expect(mine).toMatchObject({ properties: plain.properties, listeners: 1, lastack: { answer: "blocked" } });
    }
    const uncaught = 'require("http").createServer().listen(Number(process.argv[1]))';
    expect(runProgram(uncaught, [port], { node })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`Error: listen EADDRINUSE: address already in use :::${port}: node (pid`),
    });
  });
}
