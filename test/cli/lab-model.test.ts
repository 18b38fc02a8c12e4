/** `lastack lab run --on model`, where there is no kernel to speak of: no FFI, no privilege. */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
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
  expect(stdout).toMatch(/^48 experiments: \d+ claims hold, .* do not hold in the model$/m);
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
])("lab run %j", (args, status, message) => {
  expect(lab(...args)).toMatchObject({ status, stderr: expect.stringMatching(message) });
});

test("a server of the user's takes the kernel", () => {
  const { stdout, status } = lab("restart", "--server", "true", "--on", "model");
  expect(stdout).toContain("a program of yours can't run on a model");
  expect(status).toBe(3);
});
