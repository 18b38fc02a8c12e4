/** What the tests of the command line share. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, type TestContext } from "vitest";
import { parseIp } from "../../src/codec/address.ts";
import { encodeSockaddr } from "../../src/codec/sockaddr.ts";
import type { TcpSocket } from "../../src/codec/tcp-socket.ts";
import { AF_INET, AF_INET6, bind, listen, SOCK_STREAM, socket, type Fd } from "../../src/sys/index.ts";
import { CLI, lastack, type Outcome } from "../support/cli.ts";
import { lacking } from "../support/needs.ts";

export const ROOT = dirname(dirname(CLI));

/** A directory for one test file, readable by every user. Remove it with {@link removeDirectory}. */
export function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "lastack-test-"));
  chmodSync(directory, 0o755);
  return directory;
}

export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}

/** Copies the built command line and what it needs at run time into `directory`. Returns the path of lastack.cjs. */
export function copyCli(directory: string): string {
  mkdirSync(join(directory, "dist"));
  for (const name of readdirSync(join(ROOT, "dist"))) {
    if (name.endsWith(".cjs")) cpSync(join(ROOT, "dist", name), join(directory, "dist", name));
  }
  for (const name of ["koffi", "@koromix"]) {
    cpSync(join(ROOT, "node_modules", name), join(directory, "node_modules", name), { recursive: true });
  }
  return join(directory, "dist", "lastack.cjs");
}

/** Installs packages into a directory, which is made, by npm; their install scripts run unless an option says no. */
export function installFromRegistry(directory: string, ...packages: string[]): Outcome {
  mkdirSync(directory, { recursive: true });
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: process.env["LASTACK_TEST_CA_CERTS"] };
  const install = ["npm", "install", "--prefer-offline", "--no-audit", "--no-fund", "--no-save", "--prefix", directory];
  return run([...install, ...packages], { cwd: directory, env, timeout: 120_000 });
}

/** Goes on if it could be installed; the test is skipped where the registry is out of reach. */
export function expectFromRegistry(context: TestContext, installed: Outcome): void {
  const unreachable = /E(NOTFOUND|AI_AGAIN|CONNREFUSED|TIMEDOUT|NETUNREACH|NOTCACHED)/.test(installed.stderr);
  if (unreachable) lacking(context, "the npm registry, or its cache");
  expect(installed, installed.stderr).toMatchObject({ status: 0 });
}

/** Compiles test/fixtures/NAME.c to `output`. */
export function compile(name: string, output: string): string {
  const source = fileURLToPath(new URL(`../fixtures/${name}.c`, import.meta.url));
  // The tutorial's server writes past the end of an array: it must not be caught at it.
  const flags = ["-O0", "-fno-stack-protector", "-U_FORTIFY_SOURCE", "-w"];
  execFileSync("cc", [...flags, "-o", output, source]);
  return output;
}

/** Runs any command to its end, as {@link lastack} does. */
export function run(
  command: readonly string[],
  options: { env?: NodeJS.ProcessEnv; uid?: number; cwd?: string; input?: string; timeout?: number } = {},
): Outcome {
  const { status, signal, stdout, stderr, error } = spawnSync(command[0]!, command.slice(1), {
    encoding: "utf8",
    timeout: 60_000,
    maxBuffer: 2 ** 28,
    ...options,
    ...(options.uid !== undefined && { gid: options.uid }),
  });
  if (error) throw error;
  return { stdout, stderr, status, signal };
}

/** One line of `lastack ls --json-lines`, or one of the `sockets` of `--json`. */
export type ListedSocket = TcpSocket & {
  user: string | null;
  interface: string | null;
  owners: { pid: number; fd: number; program: string }[];
};

export interface Listed {
  schema: number;
  source: string;
  denied: string | null;
  interrupted: boolean;
  unreadable: unknown[];
  processes: { pid: number; program: string; comm: string; arguments: string[] }[];
  sockets: ListedSocket[];
}

/** `lastack ls WORDS --json`, parsed. */
export function listJson(...words: string[]): Listed {
  const { stdout, stderr, status } = lastack(["ls", ...words, "--json"]);
  if (status !== 0) throw new Error(`ls ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as Listed;
}

/** The states of all sockets with this local port, sorted. */
export function statesOf(port: number): string[] {
  return listJson(`port`, String(port))
    .sockets.filter(({ local }) => local.port === port)
    .map(({ state }) => state)
    .sort();
}

export function addressOf(text: string, port: number): Uint8Array {
  return encodeSockaddr({ address: parseIp(text)!, port });
}

/** A socket of this process, bound. */
export function boundSocket(address: string, port: number): Fd {
  const fd = socket(address.includes(":") ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
  bind(fd, addressOf(address, port));
  return fd;
}

export function listener(address: string, port: number, backlog = 8): Fd {
  const fd = boundSocket(address, port);
  listen(fd, backlog);
  return fd;
}

/** The processes one of whose arguments is `argument`. */
export function processesWith(argument: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(argument);
      } catch {
        return false; // it has ended
      }
    });
}

/** The complete lines of an output. */
export function linesOf(text: string): string[] {
  return text.split("\n").slice(0, -1);
}
