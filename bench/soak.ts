/**
 * `npm run soak [ID...]`: every experiment, or those named, 50 times on the machine as it is and 20 times with every core
 * busy; as whoever runs this, and, where that is root, as an ordinary user too. Ends with status 1 if an expectation was
 * ever not met.
 */
import { spawn, spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { CATALOGUE } from "../src/lab/catalogue/index.ts";

const CLI = fileURLToPath(new URL("../dist/lastack.cjs", import.meta.url));
const IDLE_RUNS = 50;
const LOADED_RUNS = 20;
const NOBODY = 65_534;

const asked = process.argv.slice(2);
const ids = asked.length > 0 ? asked : CATALOGUE.map(({ id }) => id);
const isRoot = process.getuid?.() === 0;
let failures = 0;

function soak(id: string, times: number, uid: number | undefined): void {
  const args = [CLI, "lab", "run", id, "--repeat", String(times)];
  const as = uid === undefined ? {} : { uid, gid: uid };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", cwd: "/", ...as });
  const isComplete = stdout.includes(`held ${times} of ${times} times`);
  const isNotRun = status === 3;
  if (!isComplete && !isNotRun) failures++;
  process.stdout.write(isComplete ? "." : isNotRun ? `\n${id}: not run here\n` : `\n${stdout}${stderr}`);
}

function pass(name: string, times: number, uid?: number): void {
  const start = performance.now();
  process.stdout.write(`${name}, ${times} times each: `);
  for (const id of ids) soak(id, times, uid);
  process.stdout.write(` ${((performance.now() - start) / 1000).toFixed(0)} s\n`);
}

function passes(times: number, how: string): void {
  pass(`${isRoot ? "as root" : "as this user"}, ${how}`, times);
  if (isRoot) pass(`as an ordinary user, ${how}`, times, NOBODY);
}

passes(IDLE_RUNS, "the machine as it is");
const busy = Array.from({ length: availableParallelism() }, () =>
  spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" }),
);
try {
  passes(LOADED_RUNS, "every core busy");
} finally {
  for (const loop of busy) loop.kill("SIGKILL");
}
process.stdout.write(
  failures === 0 ? "every expectation was met every time\n" : `${failures} did not hold every time\n`,
);
process.exitCode = failures === 0 ? 0 : 1;
