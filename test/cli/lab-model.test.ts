/** `lastack lab run --on model`, where there is no kernel to speak of: no FFI, no privilege. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CATALOGUE } from "../../src/lab/catalogue/index.ts";
import { readTrace } from "../../src/trace/schema.ts";
import { CLI } from "../support/cli.ts";
import { run } from "./helpers.ts";

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "lastack-model-"));
  cpSync(dirname(CLI), join(directory, "dist"), { recursive: true });
});

afterAll(() => rmSync(directory, { recursive: true }));

/** Without node_modules beside it there is no koffi to load. */
const lab = (...args: string[]) =>
  run([process.execPath, join(directory, "dist", "lastack.cjs"), "lab", "run", ...args]);

test("all experiments, on a model, without koffi", () => {
  const { stdout, stderr, status } = lab("--all", "--on", "model");
  expect(stderr).toBe("");
  expect(stdout).toMatch(/^\d+ experiments: \d+ claims hold, .* do not hold in the model$/m);
  expect(stdout).toContain(`\n${CATALOGUE.length} experiments:`);
  expect(status).toBe(0);
});

test("one of them is drawn, and its trace can be stored", () => {
  expect(lab("last-ack-lost", "--on", "model").stdout).toContain("in the model");
  const { stdout } = lab("last-ack-lost", "--on=model", "--json=-");
  const read = readTrace(stdout);
  expect(read).toMatchObject({ ok: true, trace: { world: "model" } });
});

test.each([
  [["restart", "--on", "mars"], 2, /--on mars: expected kernel or model/],
  [["restart", "--on", "model", "--link", "tun"], 2, /--link is about the kernel/],
  [["restart", "--set", "msl=5s"], 2, /--set and --seed go with --on model/],
  [["restart", "--seed", "5"], 2, /--set and --seed go with --on model/],
  [["restart", "--on", "model", "--set", "msl=5"], 2, /msl=5: expected a time/],
  [["restart", "--on", "model", "--seed", "x"], 2, /--seed x: expected a whole number/],
  [["restart", "--sweep", "msl=0..1s"], 2, /--sweep goes with --on model/],
  [["restart", "--on", "model", "--sweep", "msl=1s"], 2, /expected NAME=FROM\.\.TO/],
  [["restart", "--on", "model", "--sweep", "msl=1s..0"], 2, /0 is not above 1s/],
  [["restart", "--on", "model", "--sweep", "msl=0..1s/1us"], 2, /at most 1000 steps/],
  [["restart", "--on", "model", "--sweep", "profile=a..b"], 2, /there is no setting 'profile'/],
  [["restart", "half-close", "--on", "model", "--sweep", "msl=0..1s"], 2, /--sweep takes one experiment/],
  [["restart", "--on", "model", "--sweep", "msl=0..1s", "--html", "x.html"], 2, /draws a plot/],
])("lab run %j", (args, status, message) => {
  expect(lab(...args)).toMatchObject({ status, stderr: expect.stringMatching(message) });
});

test("--set and --seed: another run, and the trace says under which settings", () => {
  const run7 = lab(
    "half-close",
    "--on",
    "model",
    "--set",
    "loss=0.2",
    "--set",
    "jitter=2ms",
    "--seed",
    "7",
    "--json",
    "-",
  );
  expect(JSON.parse(run7.stdout)).toMatchObject({ system: "as Linux has it, loss=0.2, jitter=2ms" });
  const again = [
    "half-close",
    "--on",
    "model",
    "--set",
    "loss=0.2",
    "--set",
    "jitter=2ms",
    "--seed",
    "7",
    "--json",
    "-",
  ];
  expect(lab(...again).stdout).toBe(run7.stdout);
});

test("--repeat: each run has a seed of its own", () => {
  const { stdout } = lab("half-close", "--on", "model", "--set", "loss=0.3", "--repeat", "20");
  const held = Number(/held (\d+) of 20 times/.exec(stdout)?.[1]);
  expect(held).toBeGreaterThan(0);
  expect(held).toBeLessThan(20);
});

test("--sweep: a table with bars, a plot, and JSON", () => {
  const svg = join(directory, "plot.svg");
  const json = join(directory, "sweep.json");
  // The FIN comes again after 200 ms: two MSL of that would be a tie.
  const sweep = ["last-ack-lost", "--on", "model", "--sweep", "msl=0..240ms/80ms", "--svg", svg, "--json", json];
  const { stdout, status } = lab(...sweep);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^ +0 +1 of 1 +█+ +100 %/m);
  expect(stdout).toMatch(/^ *240ms +0 of 1 +0 %$/m);
  expect(readFileSync(svg, "utf8")).toContain("how often it goes wrong");
  const { setting, points } = JSON.parse(readFileSync(json, "utf8")) as {
    setting: string;
    points: { text: string; runs: number; wrong: number }[];
  };
  expect(setting).toBe("msl");
  expect(points.map(({ text, wrong }) => [text, wrong])).toEqual([
    ["0", 1],
    ["80ms", 1],
    ["160ms", 0],
    ["240ms", 0],
  ]);
});

test("a server of the user's takes the kernel", () => {
  const { stdout, status } = lab("restart", "--server", "true", "--on", "model");
  expect(stdout).toContain("a program of yours can't run on a model");
  expect(stdout).not.toContain("10.9.0.1"); // where nothing has happened no hosts are drawn
  expect(status).toBe(3);
});
