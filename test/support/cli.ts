/** Runs the built command line as users do. */
import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from "node:child_process";
import { fileURLToPath } from "node:url";
import { until } from "./until.ts";

export const CLI = fileURLToPath(new URL("../../dist/lastack.cjs", import.meta.url));

export interface Outcome {
  stdout: string;
  stderr: string;
  /** null if it died of a signal. */
  status: number | null;
  signal: NodeJS.Signals | null;
}

/** Runs `lastack ARGS` to its end. */
export function lastack(
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; uid?: number; cwd?: string } = {},
): Outcome {
  const { status, signal, stdout, stderr, error } = spawnSync(process.execPath, [CLI, ...args], {
    encoding: "utf8",
    timeout: 20_000,
    maxBuffer: 2 ** 28,
    ...options,
    ...(options.uid !== undefined && { gid: options.uid }),
  });
  if (error) throw error;
  return { stdout, stderr, status, signal };
}

const running = new Set<Running>();

/** A process whose output is waited for. Ended, at the latest, by {@link endAll}. */
export class Running {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  #closed = false;

  constructor(command: readonly string[], options: SpawnOptions = {}) {
    this.child = spawn(command[0]!, command.slice(1), { stdio: ["ignore", "pipe", "pipe"], ...options });
    running.add(this);
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    this.child.once("close", () => {
      this.#closed = true;
      running.delete(this);
    });
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Waits until standard output or standard error holds a match. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    const find = () => pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
    await until(`output like ${pattern}; so far:\n${this.stdout}${this.stderr}`, () => find() ?? this.#closed);
    const match = find();
    if (!match) throw new Error(`ended without saying ${pattern}:\n${this.stdout}${this.stderr}`);
    return match;
  }

  async ended(): Promise<Outcome> {
    await until(`the end of process ${this.pid}; so far:\n${this.stdout}${this.stderr}`, () => this.#closed);
    const { exitCode: status, signalCode: signal } = this.child;
    return { stdout: this.stdout, stderr: this.stderr, status, signal };
  }

  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<Outcome> {
    this.child.kill(signal);
    return this.ended();
  }
}

/** Starts `lastack ARGS`. It ends with the test's process at the latest. */
export function start(args: readonly string[], options: SpawnOptions = {}): Running {
  return new Running([process.execPath, CLI, ...args], options);
}

/** Starts the tutorial's server or client. */
export function startProgram(program: "server" | "client", ...args: string[]): Running {
  return start([program, ...args, "--die-with-parent"]);
}

/** For `afterEach`: ends what a test left running. */
export async function endAll(): Promise<void> {
  await Promise.all([...running].map((process) => process.end("SIGKILL")));
}
