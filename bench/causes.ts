/**
 * `npm run bench:causes`: who names the cause, who names every holder, and whose remedy frees the port: lastack and the
 * usual tools, in the same real situations. Writes the table of docs/causes.md. TOOLS names a directory whose
 * node_modules/.bin has kill-port and fkill; tools that are not there are left out.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { enterNewNetworkNamespace } from "../src/linux/namespace.ts";
import { becomesFree, binds, CLI, freedBy, ownRemedies, verbOf } from "./support/freed-by.ts";
import { SITUATIONS, Taken, type Situation } from "./support/situations.ts";

const REPORT = fileURLToPath(new URL("../docs/causes.md", import.meta.url));
const HEADING = "## Beside other tools";
const bin = (name: string) => join(process.env["TOOLS"] ?? "node_modules", "node_modules/.bin", name);

interface Tool {
  name: string;
  ask(port: number, address?: string): readonly string[];
  /** The commands that free the port, as the tool says or is; none where it has none. */
  remedies(port: number): readonly (readonly string[])[];
}

/** Waiting longer than we do, and what frees the port for some only. */
const LATER = new Set(["wait", "reuse"]);
const atOnce = (port: number) => ownRemedies(port).filter((command) => !LATER.has(verbOf(command)));

const NONE = () => [];
const TOOLS: readonly Tool[] = [
  {
    name: "lastack",
    ask: (port, address = "") => [process.execPath, CLI, `${address}:${port}`],
    remedies: atOnce,
  },
  { name: "ss -tanp", ask: (port) => ["ss", "-tanp", `sport = :${port}`], remedies: NONE },
  { name: "lsof -i", ask: (port) => ["lsof", "-nP", `-iTCP:${port}`], remedies: NONE },
  {
    name: "fuser -n tcp",
    ask: (port) => ["fuser", "-v", "-n", "tcp", String(port)],
    remedies: (port) => [["fuser", "-k", "-n", "tcp", String(port)]],
  },
  {
    name: "kill-port",
    ask: (port) => [bin("kill-port"), String(port)],
    remedies: (port) => [[bin("kill-port"), String(port)]],
  },
  {
    name: "fkill",
    ask: (port) => [bin("fkill"), "--force", `:${port}`],
    remedies: (port) => [[bin("fkill"), "--force", `:${port}`]],
  },
];

function run(command: readonly string[]): { text: string; isMissing: boolean } {
  const { stdout, stderr, error } = spawnSync(command[0]!, command.slice(1), { encoding: "utf8", timeout: 10_000 });
  return {
    text: `${stdout ?? ""}\n${stderr ?? ""}`,
    isMissing: (error as NodeJS.ErrnoException | undefined)?.code === "ENOENT",
  };
}

let port = 7000;
const nextPort = () => port++;

/** Yes or no to: cause, holders, remedy; `-` for a question that does not arise. */
async function judge(tool: Tool, situation: Situation, directory: string): Promise<string> {
  const taken = new Taken(nextPort());
  try {
    await situation.make(taken, directory);
    if (binds(taken.port)) throw new Error(`${situation.what}: the port is free`);
    const commands = tool.remedies(taken.port);
    const { text, isMissing } = run(tool.ask(taken.port, situation.asked));
    if (isMissing) return "not installed";
    const holds = taken.holders.every((pid) => new RegExp(`\\b${pid}\\b`).test(text));
    for (const command of commands) if (!binds(taken.port)) run(command);
    const mark = (is: boolean) => (is ? "yes" : "no");
    return [
      mark(situation.named.test(text)),
      taken.holders.length === 0 ? "-" : mark(holds),
      commands.length === 0 && tool.remedies === NONE ? "-" : mark(await becomesFree(taken.port)),
    ].join(" / ");
  } finally {
    await taken.end();
  }
}

if (!enterNewNetworkNamespace()) throw new Error("a network namespace of its own takes root");
const directory = mkdtempSync(join(tmpdir(), "lastack-"));
const rows: string[] = [];
try {
  for (const situation of SITUATIONS) {
    const cells: string[] = [await freedBy(situation, directory, nextPort)];
    for (const tool of TOOLS) cells.push(await judge(tool, situation, directory));
    const row = `| ${situation.cause}: ${situation.what} | ${cells.join(" | ")} |`;
    process.stdout.write(`${row}\n`);
    rows.push(row);
  }
} finally {
  rmSync(directory, { recursive: true });
}

const [before, after] = readFileSync(REPORT, "utf8").split(`\n${HEADING}\n`);
const next = after?.indexOf("\n## ") ?? -1;
writeFileSync(
  REPORT,
  `${before!.trimEnd()}

${HEADING}

Made by \`npm run bench:causes\` (bench/causes.ts), as root: each situation is made for real, anew for each tool. A cell says
whether the tool names the cause / every holder / whether the port can be bound within 3 s of what the tool does or
advises (\`-\`: there is no holder; the tool has no remedy). For lastack that is the commands it shows, in their order, but
for those that wait. "Freed by" are the commands of which each frees the port by itself, as \`why\` prints it and with yes for
what it asks: bound by a plain socket afterwards, and by one with SO_REUSEADDR after \`reuse\`.

| cause | freed by | ${TOOLS.map(({ name }) => name).join(" | ")} |
| --- | --- | ${TOOLS.map(() => "---").join(" | ")} |
${rows.join("\n")}
${next < 0 ? "" : after!.slice(next)}`,
);
