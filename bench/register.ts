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
import { difference, median, paired } from "./support/harness.ts";
import { MACHINE, writeSection } from "./support/report.ts";

const RUNS = 41;
const PROJECT = fileURLToPath(new URL("..", import.meta.url));

delete process.env["NODE_EXTRA_CA_CERTS"]; // reading them makes every start of Node slower

const APP = 'require("express")().listen(0, "127.0.0.1", () => process.exit(0));\n';
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

/** Two packages of one form, one of which does nothing. */
function installInto(directory: string): void {
  mkdirSync(join(directory, "node_modules/empty"), { recursive: true });
  const manifest = { name: "empty", type: "module", exports: { "./register": { default: "./register.cjs" } } };
  writeFileSync(join(directory, "node_modules/empty/package.json"), JSON.stringify(manifest));
  writeFileSync(join(directory, "node_modules/empty/register.cjs"), "");
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

function refusals(port: number, ...preload: string[]): { ms: number; workMs: number } {
  const runs = Array.from({ length: RUNS }, () => {
    const { stdout } = spawnSync(process.execPath, [...preload, "refused.cjs", String(port)], { encoding: "utf8" });
    return stdout.split(" ").map(Number) as [number, number];
  });
  return { ms: median(runs.map(([ms]) => ms)), workMs: median(runs.map(([, work]) => work)) };
}

const directory = mkdtempSync(join(tmpdir(), "lastack-bench-"));
process.chdir(directory);
try {
  installInto(directory);
  const starts = ["--require", "--import"].map((option) => {
    const command = (name: string) => [process.execPath, option, `${name}/register`, "app.cjs"];
    const timing = paired(command("lastack"), command("empty"), RUNS);
    const [mine, other] = timing.map(({ ms }) => `${median(ms).toFixed(1)} ms`);
    return `| \`${option}\` | ${mine} | ${other} | ${difference(timing) < 0 ? "" : "+"}${difference(timing).toFixed(2)} ms |`;
  });
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const told = refusals(port, "--require", "lastack/register");
  const plain = refusals(port);
  server.close();
  const text = `
Written by \`npm run bench:register\` (bench/register.ts): an Express application that ends when it listens, with
\`lastack/register\` and with an empty package in its place, ${RUNS} pairs in turn; medians, and the median of the pairs'
differences (${MACHINE}).

| preload | lastack/register | empty | difference |
|---|---|---|---|
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
