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

const [PAIRS, RUNS] = [101, 41];
const PROJECT = fileURLToPath(new URL("..", import.meta.url));

delete process.env["NODE_EXTRA_CA_CERTS"]; // reading them makes every start of Node slower

/** Prints, when it listens, what its threads have worked. */
const APP = `require("express")().listen(0, "127.0.0.1", () => {
  const { user, system } = process.cpuUsage();
  console.log((user + system) / 1000);
  process.exit(0);
});
`;
/** Prints what the call of listen was that is refused. */
const REFUSED = `
  const server = require("net").createServer();
  server.on("error", () => console.log((user + system) / 1000));
  const cpu = process.cpuUsage();
  server.listen(Number(process.argv[2])); // without a host, which would be looked up first
  const { user, system } = process.cpuUsage(cpu);
`;

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

/** What a program says of its work, milliseconds. */
function workOf(...args: string[]): number {
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (stderr !== "") throw new Error(stderr);
  return Number(stdout);
}

/** What the preload adds to the work: the median of the pairs' differences, A B B A …, milliseconds. */
function added(option: string): number {
  const differences = Array.from({ length: PAIRS }, (_, i) => {
    const names = i % 2 === 0 ? ["lastack", "empty"] : ["empty", "lastack"];
    const work = new Map(names.map((name) => [name, workOf(option, `${name}/register`, "app.cjs")]));
    return work.get("lastack")! - work.get("empty")!;
  });
  return median(differences);
}

function refused(port: number, ...preload: string[]): string {
  const runs = Array.from({ length: RUNS }, () => workOf(...preload, "refused.cjs", String(port)));
  return `${median(runs).toFixed(1)} ms`;
}

const directory = mkdtempSync(join(tmpdir(), "lastack-bench-"));
process.chdir(directory);
try {
  installInto(directory);
  const starts = ["--require", "--import"].map((option) => {
    const ms = added(option);
    return `| \`${option}\` | ${ms < 0 ? "" : "+"}${ms.toFixed(2)} ms |`;
  });
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const told = refused(port, "--require", "lastack/register");
  const plain = refused(port);
  server.close();
  const text = `
Written by \`npm run bench:register\` (bench/register.ts): the work (time of the processor, all threads) of an Express
application from its start until it listens, with \`lastack/register\` against an empty package in its place, ${PAIRS} pairs in
turn; medians of the pairs' differences (${MACHINE}).

| preload | work |
|---|---|
${starts.join("\n")}

The first listen that is refused is ${told} of work instead of ${plain}: reading the code that looks, opening the FFI, asking the kernel for the listener and the processes for its descriptor.
`;
  process.stdout.write(text);
  writeSection("lastack/register", text);
} finally {
  process.chdir("/");
  rmSync(directory, { recursive: true });
}
