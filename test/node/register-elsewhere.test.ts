/** `lastack/register` where errors come by other ways: workers of a cluster, worker threads; and faults of its own. */
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { median } from "../../bench/support/harness.ts";
import { copyCli, makeDirectory, removeDirectory, run } from "../cli/helpers.ts";
import { CLI } from "../support/cli.ts";
import { PRELOADS, REGISTER, reported, takenPort, untilFound } from "./program.ts";

const CLUSTER = fileURLToPath(new URL("../fixtures/cluster.cjs", import.meta.url));
const THREAD = fileURLToPath(new URL("../fixtures/listen-thread.cjs", import.meta.url));
const LISTEN =
  'const server = require("net").createServer().on("error", (error) => report(error)).listen(Number(process.argv[1]), "127.0.0.1");';

let directory: string;
beforeAll(() => (directory = makeDirectory()));
afterAll(() => removeDirectory(directory));

interface WorkerError {
  message: string;
  stack: string;
  code: string;
  syscall: string;
  listeners: string[];
  properties: Record<string, unknown>;
  answer: string | undefined;
}

function workerError(port: number, schedule: string, env: NodeJS.ProcessEnv = {}): WorkerError {
  const command = [process.execPath, "--require", REGISTER, CLUSTER, String(port), ...schedule.split(" ")];
  const { stdout, stderr } = untilFound(
    () => run(command, { env: { ...process.env, ...env } }),
    (outcome) => outcome.stdout,
  );
  expect(stderr).toBe("");
  return JSON.parse(stdout) as WorkerError;
}

for (const [schedule, how] of [
  ["rr", "whose primary listens itself"],
  ["none", "whose primary hands the socket over"],
  ["exclusive", "that listens without its primary"],
  ["rr everywhere", "whose error names no address"],
  ["none everywhere", "whose primary hands the socket over, and whose error names no address"],
] as const) {
  test(`a cluster's worker ${how}`, async () => {
    const port = await takenPort();
    const mine = workerError(port, schedule);
    const plain = workerError(port, schedule, { LASTACK: "off" });
    expect(mine.message).toBe(`${plain.message}: node (pid ${process.pid}) listens on 127.0.0.1:${port}`);
    expect(mine.stack.startsWith(`Error: ${mine.message}\n    at `)).toBe(true);
    expect(mine).toMatchObject({ properties: plain.properties, code: "EADDRINUSE", answer: "blocked" });
    expect(mine.listeners).toEqual(plain.listeners);
  });
}

test("an uncaught error of a cluster's worker still ends it", async () => {
  const port = await takenPort();
  const command = [process.execPath, "--import", PRELOADS["--import"], CLUSTER, String(port), "rr"];
  const { status, stderr } = run(command, { env: { ...process.env, UNCAUGHT: "1" } });
  expect(status).toBe(1);
  expect(stderr).toMatch(
    new RegExp(`Error: bind EADDRINUSE.*: (node \\(pid ${process.pid}\\)|a process of \\S+) listens`),
  );
});

for (const [option, preload] of Object.entries(PRELOADS)) {
  test(`a worker thread, ${option}`, async () => {
    const port = await takenPort();
    const { stdout, stderr } = run([process.execPath, option, preload, THREAD, String(port)]);
    expect(stderr).toBe("");
    const line = `blocked listen EADDRINUSE: .*: (node \\(pid ${process.pid}\\)|a process of \\S+) listens on 127.0.0.1:${port}\n`;
    expect(stdout).toMatch(new RegExp(`^${line}${line}$`));
  });
}

/** A copy of the preload, with something else in the place of what it reads upon an error. */
function damaged(name: string, text?: string): string {
  const dist = join(directory, name);
  mkdirSync(dist);
  copyFileSync(REGISTER, join(dist, "register.cjs"));
  const bundle = readdirSync(join(CLI, "..")).find((file) => file.startsWith("listen-error-"))!;
  if (text !== undefined) writeFileSync(join(dist, bundle), text);
  return join(dist, "register.cjs");
}

test.each([
  ["is missing", undefined],
  ["is no program", "}"],
  ["throws when it is read", 'throw new Error("mine")'],
  ["throws when it is called", 'exports.tellWhy = () => { throw new Error("mine"); }'],
])("where its own part %s, the error is Node's own", async (what, text) => {
  const port = await takenPort();
  const preload = ["--require", damaged(what.replaceAll(" ", "-"), text)];
  const plain = reported(LISTEN, [port], { env: { LASTACK: "off" } });
  expect({ ...reported(LISTEN, [port], { preload }), loaded: [], loadedAfter: [] }).toEqual({
    ...plain,
    loaded: [],
    loadedAfter: [],
  });
});

test("an error that can't be changed goes on as it was", async () => {
  const port = await takenPort();
  const freeze = `require("diagnostics_channel").subscribe("tracing:net.server.listen:error", ({ error }) => Object.freeze(error));`;
  const preload = join(directory, "freeze.cjs");
  writeFileSync(preload, freeze);
  const { message, hasLastack } = reported(LISTEN, [port], { preload: ["--require", preload, "--require", REGISTER] });
  expect(message).toBe(`listen EADDRINUSE: address already in use 127.0.0.1:${port}`);
  expect(hasLastack).toBe(false);
});

test("an older Node's programs run as if it were not there", async () => {
  const port = await takenPort();
  const older = join(directory, "older.cjs");
  writeFileSync(older, "delete process.getBuiltinModule;");
  const { message, hasLastack } = reported(LISTEN, [port], { preload: ["--require", older, "--require", REGISTER] });
  expect(message).toBe(`listen EADDRINUSE: address already in use 127.0.0.1:${port}`);
  expect(hasLastack).toBe(false);
});

test("two copies of lastack say it once", async () => {
  const port = await takenPort();
  const copy = join(directory, "copy");
  mkdirSync(copy);
  copyCli(copy);
  const preload = ["--require", REGISTER, "--require", join(copy, "dist/register.cjs")];
  const { message } = reported(LISTEN, [port], { preload });
  expect(message.match(/listens on/g)).toHaveLength(1);
  rmSync(copy, { recursive: true });
});

/** What its threads have worked, milliseconds, when a program listens: a busy machine lengthens that less than the time. */
function workUntilListening(app: string, ...preload: string[]): number {
  return Number(run([process.execPath, ...preload, app]).stdout);
}

for (const [option, preload] of Object.entries(PRELOADS)) {
  test(`a program's start is hardly more work than with an empty preload, ${option}`, () => {
    const empty = join(directory, `empty${preload.slice(-4)}`);
    const app = join(directory, "app.cjs");
    writeFileSync(empty, "");
    writeFileSync(
      app,
      `require("http").createServer().listen(0, "127.0.0.1", () => {
        const { user, system } = process.cpuUsage();
        console.log((user + system) / 1000);
        process.exit(0);
      });`,
    );
    const more = Array.from(
      { length: 11 },
      () => workUntilListening(app, option, preload) - workUntilListening(app, option, empty),
    );
    expect(median(more)).toBeLessThan(5); // bench/register.ts measures it
  });
}
