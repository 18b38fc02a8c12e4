/** Files that experiments and traces are drawn into: what can't be written is told by its name, and if possible before. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lastack } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { copyCli, makeDirectory, removeDirectory, run } from "./helpers.ts";

const ON_MODEL = ["lab", "run", "half-close", "--on", "model"];

let directory = "";
let trace = "";
beforeAll(() => {
  directory = makeDirectory();
  trace = `${directory}/trace.json`;
  expect(lastack([...ON_MODEL, "--json", trace]).status).toBe(0);
});
afterAll(() => removeDirectory(directory));

test.each(["--json", "--svg", "--html", "--pcap"])(
  "%s into a full disk: the file, the errno, and status 1",
  (option) => {
    for (const args of [ON_MODEL, ["view", trace]]) {
      const { stderr, status } = lastack([...args, option, "/dev/full"]);
      expect(stderr).toMatch(
        /^lastack (lab|view): \/dev\/full can't be written: ENOSPC \(28\): no space left on device; what it holds now is not all of it\n$/,
      );
      expect(status).toBe(1);
    }
  },
);

test.each([
  [["--svg="], /a file has no name/],
  [["--json", "-", "--svg", "-"], /only one of the files can be '-'/],
  [["another", "--pcap", "x"], /--pcap takes one experiment; --html takes many/],
  [["another", "--svg", "x"], /--svg takes one experiment; --html takes many/],
  [["--pcap", "x", "--pcap-host", "nobody", "--json", "y"], /--pcap-host nobody: the hosts are client, server/],
] as const)("lab run half-close %j is refused before anything runs", (args, message) => {
  const { stdout, stderr, status } = lastack(
    [...ON_MODEL, ...args].map((word) => (word === "another" ? "restart" : word)),
  );
  expect([stdout, status]).toEqual(["", 2]);
  expect(stderr).toMatch(message);
});

test("a capture of a host that the trace does not have: nothing is drawn or written", () => {
  const args = ["--pcap", "/dev/full", "--pcap-host", "nobody"];
  for (const command of [
    ["view", trace],
    ["prove", "last-ack-lost"],
  ]) {
    const { stdout, stderr, status } = lastack([...command, ...args]);
    expect([stdout, status]).toEqual(["", 2]);
    expect(stderr).toMatch(/--pcap-host nobody: the hosts are client, server/);
  }
});

test.each([
  ["--svg", /^<svg [^]*<\/svg>\n?$/],
  ["--html", /^<!doctype html>[^]*<\/html>\n?$/i],
  ["--json", /^\{[^]*\}\n$/],
])("%s -: standard output is that file, and nothing else", (option, whole) => {
  for (const args of [ON_MODEL, ["view", trace]]) {
    const { stdout, status } = lastack([...args, option, "-", "--packetdrill"]);
    expect(stdout).toMatch(whole);
    expect(status).toBe(0);
  }
});

testNeeding(["a second uid"], "a file of somebody else is not run for", () => {
  const cli = copyCli(directory);
  const open = `${directory}/open`;
  mkdirSync(open);
  chmodSync(open, 0o777);
  chmodSync(directory, 0o755);
  writeFileSync(`${open}/x.svg`, "mine");
  const { stdout, stderr, status } = run([process.execPath, cli, ...ON_MODEL, "--svg", `${open}/x.svg`], {
    uid: 65_534,
  });
  expect(stderr).toMatch(/x\.svg can't be written: EACCES \(13\): permission denied\n/);
  expect([stdout, status]).toEqual(["", 2]);
  expect(readFileSync(`${open}/x.svg`, "utf8")).toBe("mine");
});
