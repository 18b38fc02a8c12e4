/**
 * `npm run bench:prove`: how fast `lastack prove` searches, what a state takes, and how long it is until there is an answer,
 * beside Spin on a model of the same question (bench/support/last-ack-lost.pml; Debian's packages spin and gcc).
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { settingOf } from "../src/prove/question.ts";
import { QUESTIONS } from "../src/prove/questions.ts";
import { search } from "../src/prove/search.ts";
import { median, paired, ratio } from "./support/harness.ts";
import { MACHINE, writeSection } from "./support/report.ts";

const RUNS = 9;
const RUNS_LARGE = 5;
const CLI = fileURLToPath(new URL("../dist/lastack.cjs", import.meta.url));
const MODEL = fileURLToPath(new URL("support/last-ack-lost.pml", import.meta.url));

delete process.env["NODE_EXTRA_CA_CERTS"]; // reading them makes every start of Node slower

/** Of a question, smallest first: states a second, and what the process has grown by for each. */
function speed(id: string): string {
  const { question } = QUESTIONS.find((named) => named.id === id)!;
  const before = process.memoryUsage.rss();
  const start = performance.now();
  const { system } = settingOf(question);
  const { status, distinct, generated, depth, bytes } = search(system, 4e9);
  const seconds = (performance.now() - start) / 1000;
  const grown = Math.max(0, process.memoryUsage.rss() - before) / distinct;
  const count = (n: number) => Math.round(n).toLocaleString("en");
  const hosts = system.sides.map((side) => count(side.count)).join(" and ");
  const row = [
    `\`${id}\`, ${status}`,
    count(distinct),
    count(generated),
    String(depth),
    hosts,
    `${seconds.toFixed(1)} s`,
    count(distinct / seconds),
    count(bytes / distinct),
    count(grown),
  ];
  process.stdout.write(`${row.join(" | ")}\n`);
  return `| ${row.join(" | ")} |`;
}

const directory = mkdtempSync(join(tmpdir(), "lastack-spin-"));
copyFileSync(MODEL, join(directory, "model.pml"));

/** Generation, compilation and the run, as one shell command; `optimize`: what gcc is told. */
function spin(timeWait: 4 | 0, optimize: string): string[] {
  const steps = [
    `cd ${directory}`,
    `spin -DTIME_WAIT=${timeWait} -a model.pml`,
    `gcc ${optimize} -DSAFETY -DNOREDUCE -o pan pan.c`,
    `./pan -m100000 -E | grep -q 'errors: ${timeWait === 0 ? 1 : 0}'`,
  ];
  return ["sh", "-c", steps.join(" && ")];
}

function compare(what: string, timeWait: 4 | 0): string[] {
  const ours = [process.execPath, CLI, "prove", "last-ack-lost", "--json", "--time-wait", timeWait === 0 ? "off" : "2"];
  return ["-O2", "-O0"].map((optimize) => {
    const theirs = spin(timeWait, optimize);
    const { status } = spawnSync(theirs[0]!, theirs.slice(1));
    if (status !== 0) throw new Error("Spin gives another answer");
    const timing = paired(ours, theirs, RUNS);
    const [mine, other] = timing.map(({ ms }) => `${median(ms).toFixed(0)} ms`);
    const row = `| ${what} | gcc ${optimize} | ${mine} | ${other} | ${ratio(timing).toFixed(2)} |`;
    process.stdout.write(`${row}\n`);
    return row;
  });
}

/** Whole processes, with as many workers as there are processors and with one. */
function together(id: string): string {
  const prove = (workers: number) => [process.execPath, CLI, "prove", id, "--json", "--workers", String(workers)];
  const timing = paired(prove(availableParallelism()), prove(1), RUNS_LARGE);
  const [all, one] = timing.map(({ ms }) => `${(median(ms) / 1000).toFixed(1)} s`);
  const row = `| \`${id}\` | ${all} | ${one} | ${ratio(timing).toFixed(2)} |`;
  process.stdout.write(`${row}\n`);
  return row;
}

try {
  const shared = ["old-data", "time-wait"].map(together);
  const times = [...compare("first counterexample, without TIME-WAIT", 0), ...compare("verdict, with TIME-WAIT", 4)];
  const speeds = ["last-ack-lost", "old-duplicate", "old-data", "time-wait"].map(speed);
  writeSection(
    "lastack prove",
    `Written by \`npm run bench:prove\` (bench/prove.ts), on one core (${MACHINE}).

| question | states | generated | depth | different hosts | time | states a second | bytes a state: tables | of the process |
|---|---|---|---|---|---|---|---|---|
${speeds.join("\n")}

"Tables" is what the search keeps of states: five words, where it came from, where it leads to, and the index. "Of the
process" is by how much its resident memory has grown, hosts and garbage included: with few states the hosts are most of it.
So the smallest questions stay below 100,000 states a second and above 200 bytes a state: their few hundred hosts are made by
code that V8 has not compiled yet, and that, with its compiling, is nearly all that there is to do.

A search is shared out to all processors. Whole processes in turn, medians of ${RUNS_LARGE}, on ${availableParallelism()} processors:

| question | on all | on one | ratio |
|---|---|---|---|
${shared.join("\n")}

\`lastack prove last-ack-lost\` beside Spin on a model of the same question (bench/support/last-ack-lost.pml), whole
processes in turn, medians of ${RUNS}; for Spin that is generation, compilation and the run.

| until | Spin's verifier by | lastack | Spin | ratio |
|---|---|---|---|---|
${times.join("\n")}

Spin's verifier itself takes some milliseconds: its model is a state machine of some 200 lines, and compiled. lastack
searches the whole endpoint, and most of its time on so small a question is the hosts' own code, which is run once for each
of their steps, and Node's start. What makes large questions fast is that hosts are few and states many.`,
  );
} finally {
  rmSync(directory, { recursive: true });
}
