/** Runs small programs of Node as users do, with and without `lastack/register`. */
import { spawnSync } from "node:child_process";
import { createServer, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";
import { afterEach } from "vitest";
import { CLI, type Outcome } from "../support/cli.ts";

export const REGISTER = join(CLI, "../register.cjs");
/** What users name `lastack/register`, by the option that loads it. */
export const PRELOADS = { "--require": REGISTER, "--import": join(CLI, "../register.mjs") };
const PROJECT = join(CLI, "../..");

export interface How {
  /** How it is loaded; by --require, if nothing is said. */
  preload?: readonly string[];
  env?: NodeJS.ProcessEnv;
  uid?: number;
  node?: string;
}

const DEADLINE_MS = 15_000;

/**
 * Does something until the error in its output names the holder. While other tests have hundreds of processes or thousands
 * of descriptors, the time for the search may be over before it has found anybody.
 */
export function untilFound<T>(act: () => T, output: (result: T) => string): T {
  for (const deadline = performance.now() + DEADLINE_MS; ;) {
    const result = act();
    if (!output(result).includes(": a process of ") || performance.now() > deadline) return result;
  }
}

/** Runs a program, CommonJS or, with `--input-type=module` among the preload's options, a module. */
export function runProgram(source: string, args: readonly (string | number)[], how: How = {}): Outcome {
  if (how.uid !== undefined) return runOnce(source, args, how);
  return untilFound(
    () => runOnce(source, args, how),
    ({ stdout, stderr }) => `${stdout}${stderr}`,
  );
}

function runOnce(source: string, args: readonly (string | number)[], how: How): Outcome {
  const { preload = ["--require", REGISTER], env = {}, uid, node = process.execPath } = how;
  const words = [...preload, "--eval", source, "--", ...args.map(String)];
  const { stdout, stderr, status, signal, error } = spawnSync(node, words, {
    encoding: "utf8",
    timeout: 20_000,
    cwd: PROJECT,
    env: { ...process.env, ...env },
    ...(uid !== undefined && { uid, gid: uid }),
  });
  if (error) throw error;
  return { stdout, stderr, status, signal };
}

/** What a program saw of an error: see {@link REPORT}. */
export interface Reported {
  message: string;
  stack: string;
  /** Own enumerable properties, as they are. */
  properties: Record<string, unknown>;
  hasLastack: boolean;
  /** `error` listeners of the server. */
  listeners: number;
  /** What was loaded of lastack, by the first word of the file's name. */
  loaded: string[];
  lastack: { answer: string; headline: string; processes: { pid: number }[]; asks: unknown[] } | undefined;
  loadedAfter: string[];
}

/** `report(error, server)` prints what a program can see of an error. */
export const REPORT = `
  const loadedNow = () => Object.keys(require.cache)
    .map((path) => /([a-z-]+?)(-[0-9a-f]{12})?\\.cjs$/.exec(path)?.[1]).filter((name) => name !== undefined);
  function report(error, server) {
    const seen = {
      message: error.message, stack: error.stack, properties: { ...error },
      hasLastack: Object.hasOwn(error, "lastack"), listeners: server?.listenerCount("error"), loaded: loadedNow(),
    };
    console.log(JSON.stringify({ ...seen, lastack: error.lastack, loadedAfter: loadedNow() }));
  }
`;

/** Runs a program that calls `report` once. */
export function reported(source: string, args: readonly (string | number)[], how: How = {}): Reported {
  const { stdout, stderr, status } = runProgram(`${REPORT}${source}`, args, how);
  if (status !== 0 || stderr !== "") throw new Error(`ended with ${status}: ${stderr}${stdout}`);
  return JSON.parse(stdout) as Reported;
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A listener of the test's own process; its port. */
export async function takenPort(host = "127.0.0.1"): Promise<number> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as AddressInfo).port;
}
