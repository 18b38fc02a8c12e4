/** The whole story, by one command. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Running } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { until } from "../support/until.ts";
import { copyCli, linesOf, makeDirectory, processesWith, removeDirectory, run } from "./helpers.ts";

let directory = "";
let cli = "";
beforeAll(() => {
  directory = makeDirectory();
  // A path that no other process has among its arguments.
  cli = copyCli(directory);
});
afterAll(() => removeDirectory(directory));

/** The story, line for line; PORT is 8000 in a namespace, any free one elsewhere. */
const STORY = [
  /^A server is restarted, (in a network namespace of its own|on loopback and a free port)/,
  /^1\. Without SO_REUSEADDR$/,
  /^ {2}\$ lastack server (\d+)$/,
  /^ {2}server \| bind 0\.0\.0\.0:\d+ ok$/,
  /^ {2}server \| listen backlog 20 ok$/,
  /^ {2}\$ lastack client \d+$/,
  /^ {2}client \| server said: I am server$/,
  /^ {2}\(the server is stopped with Ctrl-C\)$/,
  /^ {2}client \| server closed$/,
  /^ {2}client \| close ok$/,
  /^ {2}\(the server is started again at once\)$/,
  /^ {2}\$ lastack server \d+$/,
  /^ {2}server \| bind 0\.0\.0\.0:\d+ EADDRINUSE \(98\): address already in use$/,
  /^ {2}server \| The kernel holds on port \d+:$/,
  /^ {2}server \| tcp4 .* TIME-WAIT +timewait:\d+\.\ds +- +-$/,
  /^2\. With SO_REUSEADDR, set by both/,
  /^ {2}\$ lastack server \d+ --reuse-address$/,
  /^ {2}server \| setsockopt SO_REUSEADDR 1 ok$/,
  /^ {2}client \| close ok$/,
  /^ {2}\$ lastack ls \d+$/,
  /^ {2}tcp4 .* TIME-WAIT +timewait:\d+\.\ds +- +-$/,
  /^ {2}\(the server is started again at once\)$/,
  /^ {2}\$ lastack server \d+ --reuse-address$/,
  /^ {2}server \| bind 0\.0\.0\.0:\d+ ok$/,
  /^Without SO_REUSEADDR bind answered EADDRINUSE, with it ok\.$/,
  /^The connection in TIME-WAIT, which no process holds any more, kept the port for 60 seconds\.$/,
];

function expectStory(stdout: string): void {
  const lines = linesOf(stdout);
  let at = 0;
  for (const pattern of STORY) {
    const found = lines.findIndex((line, i) => i >= at && pattern.test(line));
    expect(found, `${pattern} after line ${at} of:\n${stdout}`).toBeGreaterThanOrEqual(0);
    at = found + 1;
  }
  expect(at, "the verdict ends it").toBe(lines.length);
}

async function nothingRuns(): Promise<void> {
  await until("the end of all processes of the demo", () => processesWith(cli).length === 0);
}

test("lastack demo tells the tutorial's story with the kernel's own answers, and leaves nothing behind", async () => {
  const { stdout, stderr, status } = run([process.execPath, cli, "demo"]);
  expectStory(stdout);
  expect([stderr, status]).toEqual(["", 0]);
  await nothingRuns();
});

testNeeding(["a second uid"], "lastack demo tells it to a user without privileges too", async () => {
  const { stdout, stderr, status } = run([process.execPath, cli, "demo"], { uid: 65534 });
  expectStory(stdout);
  expect([stderr, status]).toEqual(["", 0]);
  await nothingRuns();
});

for (const signal of ["SIGINT", "SIGKILL"] as const) {
  test(`a demo ended by ${signal} takes its programs along`, async () => {
    const demo = new Running([process.execPath, cli, "demo"]);
    await demo.says(/^ {2}client \| connected/m);
    expect(processesWith(cli).length).toBeGreaterThan(1);
    expect(await demo.end(signal)).toMatchObject({ status: null, signal });
    await nothingRuns();
  });
}

for (const lines of [3, 6, 12]) {
  test(`a reader that has seen enough after ${lines} lines ends the demo quietly`, async () => {
    const script = `{ "$@"; echo "status $?" >&2; } | head -n ${lines}`;
    const { stdout, stderr } = run(["sh", "-c", script, "sh", process.execPath, cli, "demo"]);
    expect(linesOf(stdout)).toHaveLength(lines);
    expect(stderr).toBe("status 0\n");
    await nothingRuns();
  });
}
