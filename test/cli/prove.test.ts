/** `lastack prove`: questions, answers, exit statuses. No FFI: it is run where there is none. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { readTrace } from "../../src/trace/schema.ts";
import { CLI, endAll, lastack, Running } from "../support/cli.ts";
import { until } from "../support/until.ts";
import { run } from "./helpers.ts";

let directory: string;
let cli: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "lastack-prove-"));
  cpSync(dirname(CLI), join(directory, "dist"), { recursive: true });
  cli = join(directory, "dist", "lastack.cjs");
});

afterEach(endAll);
afterAll(() => rmSync(directory, { recursive: true }));

const prove = (...args: string[]) => run([process.execPath, cli, "prove", ...args], { cwd: directory });

test("the last ACK may be lost: with TIME-WAIT nobody notices", () => {
  const { stdout, stderr, status } = prove("last-ack-lost");
  expect(stderr).toBe("");
  expect(stdout).toMatch(/^ {2}yes {2}TIME-WAIT lasts 2 MSL$/m);
  expect(stdout).toMatch(
    /^last-ack-lost holds: [\d,]+ states, which is all that there are, none further than \d+ steps/m,
  );
  expect(status).toBe(0);
});

test("without it, a shortest way to the error is drawn, and stored for view", () => {
  const { stdout, status } = prove(
    "last-ack-lost",
    "--time-wait",
    "off",
    "--trace",
    "trace.json",
    "--pcap",
    "it.pcapng",
  );
  expect(status).toBe(1);
  expect(stdout).toMatch(/ACK 12 ✗ dropped/);
  expect(stdout).toMatch(/^ {2}NO {3}TIME-WAIT lasts 2 MSL$/m);
  expect(stdout).toMatch(
    /^last-ack-lost does not hold: the server, .* error 104 .*; a shortest way there takes \d+ steps/m,
  );
  expect(readTrace(readFileSync(join(directory, "trace.json"), "utf8"))).toMatchObject({ ok: true });
  expect(readFileSync(join(directory, "it.pcapng")).length).toBeGreaterThan(1000);
  expect(run([process.execPath, cli, "view", "trace.json"], { cwd: directory }).stdout).toContain("RST seq 12");
});

test("where standard output is the trace's the verdict goes to standard error, also if there is no trace", () => {
  const holds = prove("last-ack-lost", "--trace", "-");
  expect(holds).toMatchObject({ stdout: "", stderr: expect.stringMatching(/^last-ack-lost holds: /m), status: 0 });
  const violated = prove("last-ack-lost", "--time-wait", "off", "--svg", "-");
  expect(violated.stdout).toMatch(/^<svg [^]*<\/svg>\n?$/);
  expect(violated.stderr).toMatch(/^last-ack-lost does not hold: /m);
  expect(violated.status).toBe(1);
});

test("as JSON, to a program", () => {
  const { stdout, status } = prove("old-duplicate", "--without", "time-wait", "--json");
  expect(status).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    schema: 1,
    question: "old-duplicate",
    answer: "violated",
    because: expect.stringContaining("of another incarnation"),
    assumptions: expect.arrayContaining([expect.objectContaining({ id: "time-wait", made: false })]),
  });
});

test("with all assumptions, and without each alone", () => {
  const { stdout, status } = prove("last-ack-lost", "--each");
  expect(status).toBe(0);
  expect(stdout).toMatch(/^with all assumptions\s+holds/m);
  expect(stdout).toMatch(/^without time-wait\s+does not hold: the server/m);
  expect(stdout).toMatch(/^without f1\s+holds/m);
  expect(stdout).toMatch(/^without both-close\s+does not hold: .*for ever/m);
});

test("searches on two processors find what those on one do", () => {
  const one = prove("last-ack-lost", "--strays=0", "--each", "--json", "--workers=1");
  const two = prove("last-ack-lost", "--strays=0", "--each", "--json", "--workers=2");
  expect(two).toEqual(one);
  expect(JSON.parse(one.stdout).verdicts.length).toBeGreaterThan(5);
});

test("all questions are listed", () => {
  const { questions } = JSON.parse(prove("list", "--json").stdout);
  for (const { id, claim } of questions) expect(prove("list").stdout).toContain(`${id}\n    ${claim}.\n`);
  expect(questions.length).toBeGreaterThan(5);
});

test("where the memory does not suffice there is no answer", () => {
  const { stdout, status } = prove("time-wait", "--memory", "1");
  expect(stdout).toMatch(/no answer, the memory is full/);
  expect(status).toBe(3);
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s ends it, with what was found so far", async (signal, expected) => {
  const running = new Running([process.execPath, cli, "prove", "time-wait", "--strays", "3", "--copies", "3"]);
  // Nothing but the search takes so long.
  await until("it has worked for a second", () => {
    const ticks = readFileSync(`/proc/${running.pid}/stat`, "utf8").split(" ").slice(13, 15);
    return ticks.reduce((sum, one) => sum + Number(one), 0) > 100;
  });
  const { stdout, status } = await running.end(signal);
  expect(stdout).toMatch(
    /no answer, stopped: in [\d,]+ states, up to \d+ steps from the beginning, there is nothing wrong/,
  );
  expect(status).toBe(expected);
});

test("several searches tell on a terminal how far they are together, and wipe it away", () => {
  const command = `"${process.execPath}" "${CLI}" prove old-duplicate --each`;
  const { stdout, status } = run(["script", "-qec", command, "/dev/null"], { input: "" });
  const told = stdout.split("\r\u001b[K").slice(1);
  expect(told.pop()).not.toContain("searches,");
  const answered = told.map((line) =>
    Number(/^(\d) of 7 searches, [\d,]+ states, [\d,]+ a second, depth \d+, \d+ MB$/.exec(line)?.[1]),
  );
  expect(answered).toEqual(answered.toSorted());
  expect(answered.at(-1)).toBe(7);
  expect(status).toBe(0);
});

test.each([
  [["everything"], /there is no question 'everything'/],
  [[], /prove takes one question/],
  [["time-wait", "--without", "hope"], /--without hope: expected time-wait, f1/],
  [["time-wait", "--workers", "0"], /--workers 0: expected a whole number from 1 to 64/],
  [["time-wait", "--json", "--trace", "-"], /--json is standard output/],
  [["time-wait", "--time-wait", "long"], /--time-wait long: expected a whole number/],
])("prove %j is not understood", (args, message) => {
  expect(prove(...args)).toMatchObject({ status: 2, stderr: expect.stringMatching(message) });
});

test("prove with a port is why", () => {
  expect(lastack(["prove", "70000"])).toMatchObject({ status: 2, stderr: expect.stringContaining("ports go from 1") });
  expect(lastack(["prove", "8000", "--help"]).stdout).toBe(lastack(["why", "--help"]).stdout);
});
