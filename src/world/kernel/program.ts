/** A program of somebody else's, started on a host. It makes its own calls; the lab sees its sockets, words and end. */
import { spawn } from "node:child_process";
import type { Ending, ProgramSpec, Signal } from "../../lab/world.ts";
import { AF_UNIX, Fd, MSG_DONTWAIT, pidfdOpen, SOCK_STREAM, socketpair, tryRecv } from "../../sys/index.ts";
import type { Recorder } from "../../trace/recorder.ts";
import type { KernelHost } from "./host.ts";
import { endingOf } from "./ending.ts";

/** A line of its output is cut off after so many characters, and no more lines are kept than this. */
const MAX_LINE = 200;
const MAX_LINES = 200;

export class Program {
  readonly name: string;
  readonly #pid: number;
  readonly #pidfd: Fd;
  readonly #output: Fd;
  readonly #decoder = new TextDecoder();
  #rest = "";
  #lines = 0;
  #told = false;

  constructor(
    { name, command }: ProgramSpec,
    readonly host: KernelHost,
    private readonly recorder: Recorder,
  ) {
    this.name = name;
    const [ours, theirs] = socketpair(AF_UNIX, SOCK_STREAM);
    // A group of its own, as a shell on a terminal would give it: what it starts is sent its signals too.
    const child = host.namespace.run(() =>
      spawn("/bin/sh", ["-c", command], { detached: true, stdio: ["ignore", theirs.number, theirs.number] }),
    );
    theirs.close();
    if (child.pid === undefined) throw new Error(`'${command}' could not be started: no /bin/sh`);
    child.unref();
    this.#pid = child.pid;
    this.#pidfd = pidfdOpen(child.pid);
    this.#output = ours;
    this.#note("process", `is started: ${command}`);
  }

  #note(about: "process" | "output", text: string): void {
    this.recorder.note(about, text, { host: this.host.name, process: this.name });
  }

  #say(line: string): void {
    this.#lines++;
    if (this.#lines <= MAX_LINES) this.#note("output", line.slice(0, MAX_LINE));
    if (this.#lines === MAX_LINES) this.#note("output", "… (it says more)");
  }

  /** Takes in what it has written. True if it has ended since the last time. */
  read(): boolean {
    const buffer = new Uint8Array(65_536);
    for (let length: number; (length = tryRecv(this.#output, buffer, MSG_DONTWAIT)) > 0;) {
      const lines = (this.#rest + this.#decoder.decode(buffer.subarray(0, length), { stream: true })).split("\n");
      this.#rest = lines.pop()!.slice(0, MAX_LINE);
      for (const line of lines) this.#say(line);
    }
    const ending = this.#told ? undefined : this.ending();
    if (!ending) return false;
    this.#told = true;
    if (this.#rest !== "") this.#say(this.#rest);
    this.#rest = "";
    const { signal, status } = ending;
    this.#note("process", signal === null ? `ends with exit status ${status}` : `is ended by ${signal}`);
    return true;
  }

  /** Sends a signal as a terminal does: to the program and to all that it has started in its group. */
  signal(signal: Signal): void {
    this.#note("process", `is sent ${signal}`);
    try {
      process.kill(-this.#pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // it has ended meanwhile
    }
  }

  ending(): Ending | undefined {
    return endingOf(this.#pidfd);
  }

  /** Lets go of it; whoever still lives on the host is ended with the host. */
  close(): void {
    this.#output.close();
    this.#pidfd.close();
  }
}
