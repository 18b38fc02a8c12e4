/**
 * `npm run bench:causes`: who names the cause, who names every holder, and whose remedy frees the port: lastack and the
 * usual tools, in the same real situations. Writes the table of docs/causes.md. TOOLS names a directory whose
 * node_modules/.bin has kill-port and fkill; tools that are not there are left out.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { SyscallError } from "../src/sys/index.ts";
import { enterNewNetworkNamespace } from "../src/linux/namespace.ts";
import { Sockets } from "../test/support/tcp.ts";
import { SITUATIONS, Taken, type Situation } from "./support/situations.ts";

const CLI = fileURLToPath(new URL("../dist/lastack.cjs", import.meta.url));
const REPORT = fileURLToPath(new URL("../docs/causes.md", import.meta.url));
const HEADING = "## Beside other tools";
const PATIENCE_MS = 3000;
const bin = (name: string) => join(process.env["TOOLS"] ?? "node_modules", "node_modules/.bin", name);

interface Tool {
  name: string;
  ask(port: number, address?: string): readonly string[];
  /** The commands that free the port, as the tool says or is; none where it has none. */
  remedies(port: number): readonly (readonly string[])[];
}

interface Answer {
  ports: [{ findings: { blocks: boolean; remedies: { command?: string[] }[] }[] }];
}

/** What a command is about: `free` of lastack, or a program. */
const verbOf = (command: readonly string[]) => command[command.includes(CLI) ? command.indexOf(CLI) + 1 : 0];
/** Waiting longer than we do, and settings that are about later. */
const LATER = new Set([undefined, "wait", "reuse", "sysctl"]);

/** The commands that lastack gives; what it would ask on a terminal is answered beforehand. */
function ownRemedies(port: number): string[][] {
  const { stdout } = spawnSync(process.execPath, [CLI, String(port), "--json"], { encoding: "utf8" });
  return (JSON.parse(stdout) as Answer).ports[0].findings
    .filter(({ blocks }) => blocks)
    .flatMap(({ remedies }) => remedies.map(({ command }) => command ?? []))
    .filter((command) => !LATER.has(verbOf(command)))
    .map((command) => (verbOf(command) === "free" ? [...command, "--yes"] : command));
}

/** The command as it is read: without paths, numbers, and the answer to its question. */
function commandText(command: readonly string[], port: number): string {
  const words = command.filter((word) => word !== process.execPath && word !== "--yes");
  const read = words.map((word) =>
    word === CLI ? "lastack" : word === String(port) ? "PORT" : word.replace(/^\d+$/, "PID"),
  );
  return `\`${read.join(" ")}\``;
}

const NONE = () => [];
const TOOLS: readonly Tool[] = [
  {
    name: "lastack",
    ask: (port, address = "") => [process.execPath, CLI, `${address}:${port}`],
    remedies: ownRemedies,
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

function binds(port: number): boolean {
  using sockets = new Sockets();
  try {
    sockets.listener("0.0.0.0", { port });
    return true;
  } catch (error) {
    if (error instanceof SyscallError) return false;
    throw error;
  }
}

async function becomesFree(port: number): Promise<boolean> {
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await sleep(20)) {
    if (binds(port)) return true;
  }
  return false;
}

function run(command: readonly string[]): { text: string; isMissing: boolean } {
  const { stdout, stderr, error } = spawnSync(command[0]!, command.slice(1), { encoding: "utf8", timeout: 10_000 });
  return {
    text: `${stdout ?? ""}\n${stderr ?? ""}`,
    isMissing: (error as NodeJS.ErrnoException | undefined)?.code === "ENOENT",
  };
}

let nextPort = 7000;

interface Judged {
  /** Yes or no to: cause, holders, remedy; `-` for a question that does not arise. */
  cell: string;
  /** The commands that were run until the port could be bound. */
  freedBy: string;
}

async function judge(tool: Tool, situation: Situation, directory: string): Promise<Judged> {
  const taken = new Taken(nextPort++);
  try {
    await situation.make(taken, directory);
    if (binds(taken.port)) throw new Error(`${situation.what}: the port is free`);
    const commands = tool.remedies(taken.port);
    const { text, isMissing } = run(tool.ask(taken.port, situation.asked));
    if (isMissing) return { cell: "not installed", freedBy: "" };
    const holds = taken.holders.every((pid) => new RegExp(`\\b${pid}\\b`).test(text));
    const done: string[] = [];
    for (const command of commands) {
      if (binds(taken.port)) break;
      run(command);
      done.push(commandText(command, taken.port));
    }
    const mark = (is: boolean) => (is ? "yes" : "no");
    const isFree = commands.length > 0 && (await becomesFree(taken.port));
    const cell = [
      mark(situation.named.test(text)),
      taken.holders.length === 0 ? "-" : mark(holds),
      tool.remedies === NONE ? "-" : mark(isFree),
    ].join(" / ");
    return { cell, freedBy: isFree ? done.join(", ") : "-" };
  } finally {
    await taken.end();
  }
}

if (!enterNewNetworkNamespace()) throw new Error("a network namespace of its own takes root");
const directory = mkdtempSync(join(tmpdir(), "lastack-"));
const rows: string[] = [];
try {
  for (const situation of SITUATIONS) {
    const judged: Judged[] = [];
    for (const tool of TOOLS) judged.push(await judge(tool, situation, directory));
    const cells = judged.map(({ cell }) => cell);
    const row = `| ${situation.cause}: ${situation.what} | ${judged[0]!.freedBy} | ${cells.join(" | ")} |`;
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
advises (\`-\`: there is no holder; the tool has no remedy). For lastack that is the commands it shows, in their order; those
that it took are named under "freed by", with yes for what they ask. The port is bound then by a plain socket.

| cause | freed by | ${TOOLS.map(({ name }) => name).join(" | ")} |
| --- | --- | ${TOOLS.map(() => "---").join(" | ")} |
${rows.join("\n")}
${next < 0 ? "" : after!.slice(next)}`,
);
