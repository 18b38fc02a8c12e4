/** `lastack/register` under Express, Fastify and Vite's dev server, as users run them. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { makeDirectory, removeDirectory, run } from "../cli/helpers.ts";
import { CLI, endAll, Running } from "../support/cli.ts";
import { PRELOADS, reported, runProgram, takenPort } from "./program.ts";

const HELD = (port: number) =>
  new RegExp(
    `^listen EADDRINUSE: address already in use \\S+:${port}: node \\(pid ${process.pid}\\) listens on 127\\.0\\.0\\.1:${port}$`,
  );

test("Express: the error of app.listen's callback", async () => {
  const port = await takenPort();
  const source = 'require("express")().listen(Number(process.argv[1]), (error) => report(error));';
  const { message, lastack } = reported(source, [port]);
  expect(message).toMatch(HELD(port));
  expect(lastack).toMatchObject({ answer: "blocked" });
});

test("Express: an error that nobody handles ends the program", async () => {
  const port = await takenPort();
  const { status, stderr } = runProgram('require("express")().listen(Number(process.argv[1]));', [port]);
  expect(status).toBe(1);
  expect(stderr).toContain(`: node (pid ${process.pid}) listens on 127.0.0.1:${port}\n`);
});

test("Fastify: the rejection of listen, on localhost and on all addresses", async () => {
  const port = await takenPort();
  for (const host of ["localhost", "0.0.0.0"]) {
    const source =
      'require("fastify")().listen({ port: Number(process.argv[1]), host: process.argv[2] }).catch((error) => report(error));';
    const { message, lastack } = reported(source, [port, host]);
    expect(message, host).toMatch(HELD(port));
    expect(lastack).toMatchObject({ answer: "blocked" });
  }
});

let root: string;
beforeAll(() => {
  root = makeDirectory();
  writeFileSync(join(root, "index.html"), "<!doctype html><title>app</title>");
});
afterEach(endAll);
afterAll(() => removeDirectory(root));

const VITE = [process.execPath, join(CLI, "../../node_modules/vite/bin/vite.js")];
const env = { ...process.env, NODE_OPTIONS: `--import ${PRELOADS["--import"]}`, NO_COLOR: "1" };

test("Vite: takes the next port as without us", async () => {
  const port = await takenPort();
  const vite = new Running([...VITE, "--host", "127.0.0.1", "--port", String(port)], { cwd: root, env });
  await vite.says(new RegExp(`Port ${port} is in use, trying another one`));
  const [, url] = await vite.says(/Local:\s+(http:\S+)/);
  expect(Number(new URL(url!).port)).toBeGreaterThan(port);
  expect((await fetch(url!)).status).toBe(200);
});

test("Vite: an address that the host does not have", () => {
  const { status, stderr } = run([...VITE, "--host", "198.51.100.1"], { cwd: root, env });
  expect(status).toBe(1);
  expect(stderr).toContain(
    "listen EADDRNOTAVAIL: address not available 198.51.100.1:5173: this host does not have that address",
  );
});
