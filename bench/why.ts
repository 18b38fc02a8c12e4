/**
 * `npm run bench:why`: who listens on port 8000, of a host with 125,000 sockets in TIME-WAIT and 500 processes of 20
 * descriptors each: lastack, with every holder, against `ss -tlnp`, and against Node doing nothing. Whole processes.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { difference, median, paired, ratio } from "./support/harness.ts";
import { Population } from "./support/population.ts";
import { MACHINE, writeSection } from "./support/report.ts";

const [SOCKETS, PROCESSES, DESCRIPTORS, RUNS] = [125_000, 500, 20, 15];
const CLI = fileURLToPath(new URL("../dist/lastack.cjs", import.meta.url));

delete process.env["NODE_EXTRA_CA_CERTS"]; // reading them makes every start of Node slower

/** Three descriptors are there already. */
const OPEN_AND_SLEEP = `for ((i = 3; i < ${DESCRIPTORS}; i++)); do eval "exec $i</dev/null"; done; exec sleep 3600`;

function crowd(): ChildProcess[] {
  return Array.from({ length: PROCESSES }, () => spawn("bash", ["-c", OPEN_AND_SLEEP], { stdio: "ignore" }));
}

const NODE = [process.execPath, "-e", "0"];
const SS = ["ss", "-tlnp"];
const lastack = (...words: string[]) => [process.execPath, CLI, ...words];
const nameOf = (command: readonly string[]) =>
  command.join(" ").replace(`${process.execPath} ${CLI}`, "lastack").replace(process.execPath, "node");

const rows: string[] = [];
function compare(ours: readonly string[], theirs: readonly string[]): void {
  const timing = paired(ours, theirs, RUNS);
  const [mine, other] = timing.map(({ ms }) => `${median(ms).toFixed(0)} ms`);
  const result = theirs === NODE ? `+${difference(timing).toFixed(1)} ms` : ratio(timing).toFixed(2);
  const row = `| \`${nameOf(ours)}\` | \`${nameOf(theirs)}\` | ${mine} | ${other} | ${result} |`;
  process.stdout.write(`${row}\n`);
  rows.push(row);
}

const population = await Population.create("time-wait", SOCKETS);
const processes = crowd();
try {
  const { stdout } = spawnSync(process.execPath, [CLI, "8000"], { encoding: "utf8" });
  if (!/^Port 8000 is taken: node \(pid \d+/.test(stdout)) throw new Error(`the holder is not found:\n${stdout}`);
  compare(lastack("8000"), SS);
  compare(lastack("why", "8000", "--json"), SS);
  compare(NODE, SS);
  compare(lastack("8000"), NODE);
} finally {
  for (const child of processes) child.kill("SIGKILL");
  await population.end();
}

writeSection(
  "Who has port 8000?",
  `Written by \`npm run bench:why\` (bench/why.ts): ${SOCKETS.toLocaleString("en")} sockets in TIME-WAIT, ${PROCESSES} processes of ${DESCRIPTORS} descriptors
(${MACHINE}). Whole processes in turn; medians of ${RUNS}.

| command | against | command | other | ratio |
|---|---|---|---|---|
${rows.join("\n")}

Node's own start takes more than half of what ss takes in all. What lastack adds: reading its own code; the walk through
the kernel's table for connections on the port, which ss -l leaves out, on one processor, and every descriptor of every
process on the other, by an iterator of the kernel's (BPF); what the holders are; a bind where the answer is open.`,
);
