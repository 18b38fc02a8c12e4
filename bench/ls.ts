/**
 * `npm run bench`: lastack ls against ss, netstat and lsof, and against Node doing nothing, with few and many sockets.
 * Prints a table and writes it to docs/performance.md. Takes some minutes; needs root (or a user namespace) for network
 * namespaces of its own, and of the tools those that are installed.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { difference, median, paired, pairedInCalm, ratio } from "./support/harness.ts";
import { Population } from "./support/population.ts";
import { MACHINE, writeSection } from "./support/report.ts";

const CLI = fileURLToPath(new URL("../dist/lastack.cjs", import.meta.url));
const NOTHING = [process.execPath, "-e", "0"];

const lastack = (...args: string[]) => [process.execPath, CLI, ...args];

interface Comparison {
  ours: string[];
  theirs: readonly string[];
  runs: number;
}

const rows: string[] = [];
const KTHREADD = 2;
/** Those that a search for owners has to ask. */
const processes = readdirSync("/proc").filter(
  (name) => /^\d+$/.test(name) && Number(name) !== KTHREADD && parentOf(name) !== KTHREADD,
).length;

function parentOf(pid: string): number | undefined {
  try {
    return Number(/^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]);
  } catch {
    return undefined; // it has ended
  }
}

function compare(what: string, { ours, theirs, runs }: Comparison): void {
  const name = theirs === NOTHING ? "node -e 0" : theirs.join(" ");
  if (theirs !== NOTHING && spawnSync("which", [theirs[0]!]).status !== 0) {
    rows.push(`| ${what} | \`lastack ${ours.join(" ")}\` | \`${name}\` | not installed | | |`);
    return;
  }
  const measure = theirs === NOTHING ? pairedInCalm : paired;
  const timing = measure(lastack(...ours), theirs, runs);
  const [mine, other] = timing.map(({ ms }) => `${median(ms).toFixed(0)} ms`);
  const result =
    theirs === NOTHING
      ? `${difference(timing) >= 0 ? "+" : ""}${difference(timing).toFixed(1)} ms`
      : ratio(timing).toFixed(2);
  const row = `| ${what} | \`lastack ${ours.join(" ")}\` | \`${name}\` | ${mine} | ${other} | ${result} |`;
  process.stdout.write(`${row}\n`);
  rows.push(row);
}

/** Without owners: sockets that no process has. */
async function withoutOwners(count: number, runs: number): Promise<void> {
  const population = await Population.create("time-wait", count);
  const what = `${count.toLocaleString("en")}, TIME-WAIT`;
  compare(what, { ours: ["ls", "--no-owner"], theirs: ["ss", "-tan"], runs });
  compare(what, { ours: ["ls", "8000", "listen"], theirs: NOTHING, runs: 35 });
  compare(what, { ours: ["ls", "8000", "listen", "--no-owner"], theirs: NOTHING, runs: 35 });
  if (count < 100) {
    compare(what, { ours: ["ls"], theirs: NOTHING, runs: 35 });
    compare(what, { ours: ["ls", "--no-owner"], theirs: NOTHING, runs: 35 });
  }
  await population.end();
}

/** With owners: sockets that processes hold. */
async function withOwners(count: number, runs: number, slowRuns: number): Promise<void> {
  const population = await Population.create("held", count);
  const what = `${count.toLocaleString("en")}, held`;
  compare(what, { ours: ["ls", "--no-owner"], theirs: ["ss", "-tan"], runs });
  compare(what, { ours: ["ls", "8000", "listen", "--no-owner"], theirs: NOTHING, runs: 35 });
  compare(what, { ours: ["ls", "8000", "listen"], theirs: NOTHING, runs: count < 100 ? 35 : runs });
  for (const theirs of [
    ["ss", "-tanp"],
    ["netstat", "-tanp"],
    ["lsof", "-nP", "-iTCP"],
  ]) {
    compare(what, { ours: ["ls"], theirs, runs: slowRuns });
  }
  await population.end();
}

delete process.env["NODE_EXTRA_CA_CERTS"]; // reading them makes every start of Node slower
for (const [count, runs, slowRuns] of [
  [13, 25, 15],
  [20_000, 15, 5],
  [125_000, 9, 3],
] as const) {
  await withoutOwners(count, runs);
  await withOwners(count, runs, slowRuns);
}

writeSection(
  "lastack ls",
  `Written by \`npm run bench\` (bench/ls.ts): whole processes, output discarded, the two commands of a row in turn. Times are
medians; the last column is the median of the pairs' ratios, or, against \`node -e 0\`, of their differences, measured
again while something else kept the machine busy. Absolute times are this machine's (${MACHINE}); ratios carry over.

| sockets | lastack | against | lastack | other | ratio |
|---|---|---|---|---|---|
${rows.join("\n")}

"TIME-WAIT" sockets belong to no process. "Held" ones are both ends of connections, each a descriptor of some process:
asked for owners, every tool looks at every descriptor of every process, since any of them may hold the socket: of some
${Math.round(processes / 10) * 10} processes here, the kernel's own not counted, besides those of the population. Root has lastack ask an iterator of
the kernel's (BPF) where there are many descriptors; everybody else waits for /proc.

Where it comes from: IPv4 and IPv6 in one walk of the kernel's tables, where ss makes two; rows written straight from the
kernel's bytes by WebAssembly (src/view/wasm), since V8 needs longer to make the same code fast as JavaScript than a
large table takes; and a search of /proc that leaves out the kernel's own threads and calls that bring nothing. With few
sockets it is the start of Node that one waits for; the C programs have none.
`,
);
