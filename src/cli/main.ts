/** The command line: finds the command, and turns whatever it throws into a message and an exit status. */
import { exitNow, isFfiLoaded } from "../sys/index.ts";
import { walkAhead } from "../linux/port-sockets.ts";
import { escapeForTerminal } from "../view/escape.ts";
import { EXIT, exitStatusOf, UsageError } from "./exit-status.ts";
import { errnoText } from "./file-error.ts";
import { ClosedOutput, writeErr, writeOut } from "./output.ts";

/** What a command's file exports. */
export interface Command {
  help: string;
  /** `args` without the command's name. Returns the exit status. */
  run(args: string[]): number | Promise<number>;
}

/** The kernel begins with its walk over the port's sockets before the command has been read. */
async function loadWhy([first]: readonly string[]): Promise<Command> {
  const port = Number(/^(?:.*:)?(\d{1,5})$/.exec(first ?? "")?.[1]);
  const walk = port <= 65_535 ? walkAhead(port) : undefined;
  const { help, run } = await import("./why.ts");
  return { help, run: (args) => run(args, walk && { port, walk }) };
}

// Loaded when called: start-up pays for nothing that the command does not need.
const COMMANDS: Record<string, (args: readonly string[]) => Promise<Command>> = {
  why: loadWhy,
  free: async () => (await import("./ports.ts")).free,
  wait: async () => (await import("./ports.ts")).wait,
  reuse: async () => (await import("./ports.ts")).reuse,
  ls: async () => import("./ls.ts"),
  server: async () => (await import("./programs.ts")).server,
  client: async () => (await import("./programs.ts")).client,
  demo: async () => (await import("./programs.ts")).demo,
  lab: async () => (await import("./experiments.ts")).lab,
  view: async () => (await import("./experiments.ts")).view,
  prove: async () => (await import("./experiments.ts")).prove,
  predict: async () => (await import("./experiments.ts")).predict,
};

const HELP = `lastack: why a TCP port is still in use, and how TCP connections end

Usage: lastack <command> [options]

Commands
  why PORT...    what keeps a port from being bound, who has it, and what helps; lastack PORT is short for it
  free PORT...   end what keeps a port from being bound, and nothing else
  wait PORT...   until a port can be bound, or answers; then start a command
  reuse PORT...  set SO_REUSEADDR on a running server's sockets, for the server that follows it
  ls [what...]   the kernel's TCP sockets: queues, addresses, states, timers, owners
  server         the tutorial's server: bind, listen, accept one client, write to it for ever
  client         the tutorial's client: connect, say hello, read until the server closes
  demo           the whole story by hand: a server is restarted, and bind fails because of TIME-WAIT
  lab            experiments: how connections end on this kernel, every packet and state shown
  prove          what TIME-WAIT protects, and under which assumptions: by a search through all that can happen
  view           draw a stored trace of an experiment again
  predict        what bind, listen and connect will answer, by the rules and by the running kernel

Options
  -h, --help     help, also of a command: lastack ls --help
  -V, --version  the version

Examples
  lastack 8000                     why port 8000 is in use, and how to get it
  lastack ls 8000                  everything on port 8000, and who holds it
  lastack ls time-wait --summary --by peer
  lastack lab run restart          see EADDRINUSE happen on your own kernel, and SO_REUSEADDR mend it
`;

/** Put in by the build. */
declare const LASTACK_VERSION: string;

async function commandNamed(name: string, args: readonly string[], here: Commands): Promise<Command> {
  if (Object.hasOwn(here, name)) return here[name]!;
  if (Object.hasOwn(COMMANDS, name)) return COMMANDS[name]!(args);
  throw new UsageError(`there is no command '${name}'; lastack --help lists them`);
}

/** `3000`, `:3000`, `127.0.0.1:3000`, `[::1]:3000`, `*:3000`: no command begins like that. */
function isEndpoint(word: string): boolean {
  return /^:?\d/.test(word) || /^(\[.*\]|\*|localhost|[\da-f:]+):[^:]*$/i.test(word);
}

/** A port alone is asked about; `prove`, too, has no better answer to one than `why`. */
function withCommand(args: string[]): string[] {
  const at = args[0] === "prove" ? 1 : 0;
  return args[at] !== undefined && isEndpoint(args[at]) ? ["why", ...args.slice(at)] : args;
}

type Commands = Readonly<Record<string, Command>>;

async function dispatch(args: string[], here: Commands): Promise<number> {
  const [name, ...rest] = withCommand(args);
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    const topic = name === "help" && rest[0] !== undefined ? await commandNamed(rest[0], [], here) : undefined;
    (name === undefined ? writeErr : writeOut)(topic?.help ?? HELP);
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  if (name === "--version" || name === "-V") {
    writeOut(`${LASTACK_VERSION}\n`);
    return EXIT.ok;
  }
  const command = await commandNamed(name, rest, here);
  const own = rest.includes("--") ? rest.slice(0, rest.indexOf("--")) : rest; // the rest is another program's
  if (own.includes("--help") || own.includes("-h")) {
    writeOut(command.help);
    return EXIT.ok;
  }
  return command.run(rest);
}

/** Node's errors of system calls are told as ours are: `uv_cwd: ENOENT (2): no such file or directory`. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { syscall, errno = 0 } = error as NodeJS.ErrnoException;
  return syscall !== undefined && errno < 0 ? `${syscall}: ${errnoText(error)}` : error.message;
}

/** Says on standard error what went wrong. Errors of our own come with their stack: they are to be reported. */
function explain(error: unknown, command: string | undefined): void {
  const status = exitStatusOf(error);
  const name = command === undefined || command.startsWith("-") ? "lastack" : `lastack ${command}`;
  const text = escapeForTerminal(textOf(error));
  const detail =
    status === EXIT.internal && error instanceof Error ? `\n${error.stack}\nThis is a bug of lastack.` : "";
  const hint = status === EXIT.usage ? `\nTry '${name} --help'.` : "";
  writeErr(`${name}: ${text}${detail}${hint}\n`);
}

/** Runs one command line; resolves to the exit status. `here`: commands that need not be loaded any more. */
export async function main(args: string[], here: Commands = {}): Promise<number> {
  try {
    return await dispatch(args, here);
  } catch (error) {
    if (error instanceof ClosedOutput) return EXIT.ok;
    try {
      explain(error, Object.hasOwn(COMMANDS, args[0] ?? "") ? args[0] : undefined);
    } catch {
      // Standard error is closed too: the status has to say it alone.
    }
    return exitStatusOf(error);
  }
}

/** True for all commands but those that only say what there is. */
export const hasAskedKernel = isFfiLoaded;

/** Ends the process. All output has been written by then, and tearing Node down would only take time (3 ms). */
export function exit(status: number): void {
  if (isFfiLoaded()) exitNow(status);
  process.exitCode = status;
}
