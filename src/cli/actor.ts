/** The tutorial's programs as processes of the demo: their lines are shown, and waited for. */
import { spawn, type ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { writeOut } from "./output.ts";

const DEADLINE_MS = 10_000;

/** Why a line of an actor could not be written: nobody reads any more, or the disk is full. */
let outputFailure: unknown;

/** Waits until `condition` holds. Throws if it does not within ten seconds, and if output fails meanwhile. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  for (const deadline = performance.now() + DEADLINE_MS; !condition(); await sleep(2)) {
    if (outputFailure !== undefined) throw outputFailure;
    if (performance.now() > deadline) throw new Error(`waited ${DEADLINE_MS / 1000} s for ${what}`);
  }
}

export class Actor {
  static readonly #running = new Set<Actor>();

  readonly #process: ChildProcess;
  readonly #lines: string[] = [];
  #ended = false;

  constructor(
    readonly program: "server" | "client",
    args: string[],
  ) {
    writeOut(`  $ lastack ${[program, ...args].join(" ")}\n`);
    const script = [process.argv[1]!, program, ...args, "--die-with-parent"];
    this.#process = spawn(process.execPath, script, { stdio: ["ignore", "pipe", "pipe"] });
    Actor.#running.add(this);
    this.#show(this.#process.stdout!);
    this.#show(this.#process.stderr!);
    this.#process.once("close", () => {
      this.#ended = true;
      Actor.#running.delete(this);
    });
  }

  #show(stream: NodeJS.ReadableStream): void {
    let rest = "";
    stream.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        this.#lines.push(line);
        try {
          writeOut(`  ${this.program} | ${line}\n`);
        } catch (error) {
          // Thrown here it would end the process, and be told as a bug.
          outputFailure ??= error;
        }
      }
    });
  }

  /** Waits for a line. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    const find = () => this.#lines.map((line) => pattern.exec(line)).find((match) => match !== null);
    await until(`the ${this.program} to say ${pattern}`, () => find() !== undefined || this.#ended);
    const match = find();
    if (!match) throw new Error(`the ${this.program} ended without saying ${pattern}`);
    return match;
  }

  /** Waits for its end; all it said has been shown then. */
  async ended(): Promise<void> {
    await until(`the ${this.program} to end`, () => this.#ended);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    this.#process.kill(signal);
    await this.ended();
  }

  /** Ends what still runs, for whatever reason. */
  static endAll(): void {
    for (const actor of Actor.#running) actor.#process.kill("SIGKILL");
  }
}
