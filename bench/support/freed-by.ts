/** The commands that `why` gives for a port: which of them frees it, each by itself. */
import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { setsockopt, SO_REUSEADDR, SOL_SOCKET, SyscallError } from "../../src/sys/index.ts";
import { Sockets } from "../../test/support/tcp.ts";
import { Taken, type Situation } from "./situations.ts";

export const CLI = fileURLToPath(new URL("../../dist/lastack.cjs", import.meta.url));
const PATIENCE_MS = 3000;
/** `wait` takes as long as the kernel does. */
const MOST_WAIT_MS = 5 * 60_000;

/** True if a plain socket, or one with SO_REUSEADDR, is granted the port; bind and listen are undone. */
export function binds(port: number, { reuseAddress = false } = {}): boolean {
  using sockets = new Sockets();
  try {
    sockets.listener("0.0.0.0", {
      port,
      prepare: (fd) => setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, Number(reuseAddress)),
    });
    return true;
  } catch (error) {
    if (error instanceof SyscallError) return false;
    throw error;
  }
}

export async function becomesFree(port: number, how: { reuseAddress?: boolean } = {}): Promise<boolean> {
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await sleep(20)) {
    if (binds(port, how)) return true;
  }
  return false;
}

/** What a command is about: `free` of lastack, or a program. */
export const verbOf = (command: readonly string[]) =>
  command[command.includes(CLI) ? command.indexOf(CLI) + 1 : 0] ?? "";

interface Answer {
  ports: [{ findings: { blocks: boolean; remedies: { command?: string[] }[] }[] }];
}

/** The commands that lastack gives, but for settings that are about later; what it would ask is answered beforehand. */
export function ownRemedies(port: number): string[][] {
  const { stdout } = spawnSync(process.execPath, [CLI, String(port), "--json"], { encoding: "utf8" });
  return (JSON.parse(stdout) as Answer).ports[0].findings
    .filter(({ blocks }) => blocks)
    .flatMap(({ remedies }) => remedies.map(({ command }) => command ?? []))
    .filter((command) => command.length > 0 && verbOf(command) !== "sysctl")
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

/** Runs one of the commands in the situation, made anew: its text if the port is free then; undefined: there is none. */
async function tryOne(situation: Situation, port: number, directory: string, i: number): Promise<string | undefined> {
  const taken = new Taken(port);
  try {
    await situation.make(taken, directory);
    const command = ownRemedies(port)[i];
    if (!command) return undefined;
    spawnSync(command[0]!, command.slice(1), { stdio: "ignore", timeout: MOST_WAIT_MS });
    const isFree = await becomesFree(port, { reuseAddress: verbOf(command) === "reuse" });
    return isFree ? commandText(command, port) : "";
  } finally {
    await taken.end();
  }
}

/** The commands that free the port, each by itself. */
export async function freedBy(situation: Situation, directory: string, nextPort: () => number): Promise<string> {
  const texts = new Set<string>();
  for (let i = 0; ; i++) {
    const text = await tryOne(situation, nextPort(), directory, i);
    if (text === undefined) return [...texts].join(", ");
    if (text !== "") texts.add(text);
  }
}
