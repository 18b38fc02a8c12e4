/**
 * `npm run bench:register`: what `lastack/register` costs an application at its start, against an empty preload of the same
 * kind, and what it costs a listen that is refused. Whole processes; both preloads are packages, as users have them.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { median } from "./support/harness.ts";
import { MACHINE, writeSection } from "./support/report.ts";

const RUNS = 41;
const PROJECT = fileURLToPath(new URL("..", import.meta.url));

delete process.env["NODE_EXTRA_CA_CERTS"]; // reading them makes every start of Node slower

/** Prints, when it listens, how long it has run, and how much of that its threads have worked. */
const APP = `require("express")().listen(0, "127.0.0.1", () => {
  const { user, system } = process.cpuUsage();
  console.log(performance.now(), (user + system) / 1000);
  process.exit(0);
});
`;
/** Prints how long the call of listen took that is refused, and how much of it this thread worked. */
const REFUSED = `
  const server = require("net").createServer();
  server.on("error", () => console.log(ms, (user + system) / 1000));
  const cpu = process.cpuUsage();
  const start = performance.now();
  server.listen(Number(process.argv[2])); // without a host, which would be looked up first
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
`;

const signed = (ms: number) => `${ms < 0 ? "" : "+"}${ms.toFixed(2)} ms`;

/** Two packages of one form, one of which does nothing. */
function installInto(directory: string): void {
  mkdirSync(join(directory, "node_modules/empty"), { recursive: true });
  const exports = { "./register": { import: "./register.mjs", default: "./register.cjs" } };
  writeFileSync(join(directory, "node_modules/empty/package.json"), JSON.stringify({ name: "empty", exports }));
  for (const name of ["register.mjs", "register.cjs"]) writeFileSync(join(directory, "node_modules/empty", name), "");
  mkdirSync(join(directory, "node_modules/lastack"));
  for (const name of ["package.json", "dist"]) {
    cpSync(join(PROJECT, name), join(directory, "node_modules/lastack", name), { recursive: true });
  }
  for (const name of ["express", "koffi", "@koromix"]) {
    symlinkSync(join(PROJECT, "node_modules", name), join(directory, "node_modules", name));
  }
  writeFileSync(join(directory, "app.cjs"), APP);
  writeFileSync(join(directory, "refused.cjs"), REFUSED);
}

function run(...args: string[]): [ms: number, workMs: number] {
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (stderr !== "") throw new Error(stderr);
  return stdout.split(" ").map(Number) as [number, number];
}

/** The median of the pairs' differences, A B B A …: what the preload adds. */
function added(option: string): { ms: number; workMs: number } {
  const differences = Array.from({ length: RUNS }, (_, i) => {
    const names = i % 2 === 0 ? ["lastack", "empty"] : ["empty", "lastack"];
    const times = Object.fromEntries(names.map((name) => [name, run(option, `${name}/register`, "app.cjs")]));
    return [0, 1].map((which) => times["lastack"]![which]! - times["empty"]![which]!);
  });
  return { ms: median(differences.map(([ms]) => ms!)), workMs: median(differences.map(([, work]) => work!)) };
}

function refusals(port: number, ...preload: string[]): { ms: number; workMs: number } {
  const runs = Array.from({ length: RUNS }, () => run(...preload, "refused.cjs", String(port)));
  return { ms: median(runs.map(([ms]) => ms)), workMs: median(runs.map(([, work]) => work)) };
}

const directory = mkdtempSync(join(tmpdir(), "lastack-bench-"));
process.chdir(directory);
try {
  installInto(directory);
  const starts = ["--require", "--import"].map((option) => {
    const { ms, workMs } = added(option);
    return `| \`${option}\` | ${signed(workMs)} | ${signed(ms)} |`;
  });
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const told = refusals(port, "--require", "lastack/register");
  const plain = refusals(port);
  server.close();
  const text = `
Written by \`npm run bench:register\` (bench/register.ts): an Express application from its start until it listens, with
\`lastack/register\` against an empty package in its place, ${RUNS} pairs in turn; medians of the pairs' differences
(${MACHINE}). Work is the processor's time, which a busy machine lengthens less.

| preload | work | time |
|---|---|---|
${starts.join("\n")}

The first listen that is refused takes ${told.ms.toFixed(1)} ms (${told.workMs.toFixed(1)} ms of work) instead of ${plain.ms.toFixed(1)} ms: reading the code that
looks, opening the FFI, asking the kernel for the listener and the processes for its descriptor.
`;
  process.stdout.write(text);
  writeSection("lastack/register", text);
} finally {
  process.chdir("/");
  rmSync(directory, { recursive: true });
}
