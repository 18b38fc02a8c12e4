import { accessSync, constants, statSync } from "node:fs";
import { join } from "node:path";
import { execvp } from "../sys/index.ts";
import { BindWatch, OpenWatch, type Standing, type Watch } from "../remedy/watch.ts";
import { waitUntil, type Waited } from "../remedy/wait.ts";
import { toJson } from "../view/escape.ts";
import { asRoot } from "./as-root.ts";
import { ASK_HELP, ASK_OPTIONS, asksFor, endpointFor, type Described } from "./asks.ts";
import { EXIT, UsageError } from "./exit-status.ts";
import { Interruption } from "./interruption.ts";
import { JSON_SCHEMA } from "./ls-json.ts";
import { parseOptions } from "./options.ts";
import { isTerminal, sayErr, sayOut } from "./output.ts";
import { parseDuration } from "./values.ts";
import { Progress, waitedText } from "./wait-text.ts";

export const help = `lastack wait: until a port can be bound, or until it answers

Usage: lastack wait [ADDR:]PORT... [options] [-- COMMAND...]

It looks at the port's sockets and sleeps until the moment that their timers predict; it does not bind over and over, which
could disturb a server that starts meanwhile. With several ports: until all are as wanted at once. Then it becomes the command, if there
is one: with its exit status, and its signals.

${ASK_HELP}
Options
      --open           until somebody listens, with room for a connection; nobody connects to find out
      --timeout TIME   not longer than this: 500ms, 30s, 5m
      --no-probe       never bind, not even once where an option decides that nobody can read (a TIME-WAIT's SO_REUSEADDR)
      --json           how it ended, as one JSON document (docs/json.md)

Exit status: 0 it is as wanted, or the command's own; 1 the time was over; 3 waiting does not help, a permission is missing

Examples
  lastack wait 3000                                   until port 3000 is free for everybody
  lastack wait 3000 --reuse-address -- node app.js    start a server as soon as its port allows
  lastack wait 5432 --open --timeout 30s -- npm test  when the database is there
`;

interface Options extends Described {
  open?: boolean;
  timeout?: string;
  "no-probe"?: boolean;
  json?: boolean;
}

function options(args: string[]): { values: Options; positionals: string[]; command: string[] } {
  const at = args.indexOf("--");
  const { values, positionals } = parseOptions({
    args: at < 0 ? args : args.slice(0, at),
    allowPositionals: true,
    options: {
      ...ASK_OPTIONS,
      open: { type: "boolean" },
      timeout: { type: "string" },
      "no-probe": { type: "boolean" },
      json: { type: "boolean" },
    },
  });
  const command = at < 0 ? [] : args.slice(at + 1);
  if (positionals.length === 0) throw new UsageError("which port? lastack wait PORT...");
  if (at >= 0 && command.length === 0) throw new UsageError("after -- comes the command to start");
  if (values.json && at >= 0) throw new UsageError("--json and a command: standard output can be of one of them only");
  return { values, positionals, command };
}

/** Finds out before a long wait, not behind it. */
function checkCommand([name]: readonly string[]): void {
  if (name === undefined) return;
  const paths = name.includes("/")
    ? [name]
    : (process.env["PATH"] ?? "").split(":").map((directory) => join(directory, name));
  const runs = paths.some((path) => {
    try {
      accessSync(path, constants.X_OK);
      return statSync(path).isFile();
    } catch {
      return false;
    }
  });
  if (!runs) throw new UsageError(`there is no program '${name}'${name.includes("/") ? "" : " in PATH"}`);
}

function watchFor(argument: string, { open, "no-probe": noProbe, ...described }: Options): Watch {
  const { address, "reuse-address": _, ...flags } = described;
  if (!open) return new BindWatch(asksFor(described, argument), { probe: !noProbe });
  if (described["reuse-address"] || flags["reuse-port"] || flags["ipv6-only"] || flags.user !== undefined) {
    throw new UsageError(
      "--open asks whether somebody listens: of the options about a bind, only --address goes with it",
    );
  }
  return new OpenWatch(endpointFor(argument, address));
}

function waitedAsJson({ outcome, standings, waitedMs }: Waited, status: number): string {
  const ports = standings.map(({ port, answer, headline, freeAtMs }: Standing) => ({
    port,
    answer,
    headline,
    freeAt: freeAtMs === undefined ? null : new Date(freeAtMs).toISOString(),
  }));
  return `${toJson({ schema: JSON_SCHEMA, status, outcome, waitedMs: Math.round(waitedMs), ports })}\n`;
}

/** What is hopeless is so for want of a privilege, not for an address that nobody can bind. */
function rootHelps({ standings }: Waited): boolean {
  return standings.every(({ answer, cause }) => answer !== "hopeless" || !cause.startsWith("address-unavailable"));
}

const STATUS = { reached: EXIT.ok, timeout: EXIT.no, hopeless: EXIT.permission } as const;

/** Waits; a signal that ends it gives the status that shells show for it. */
async function waitOrSignal(watches: readonly Watch[], timeoutMs: number | undefined, progress: Progress) {
  using interruption = new Interruption();
  try {
    const onLook = (standings: readonly Standing[]) => progress.show(standings);
    return await waitUntil(watches, { timeoutMs, signal: interruption.signal, onLook });
  } catch (error) {
    if (interruption.status === undefined) throw error;
    return interruption.status;
  } finally {
    progress.clear();
  }
}

export async function run(args: string[]): Promise<number> {
  const { values, positionals, command } = options(args);
  const { timeout, json, ...how } = values;
  const timeoutMs = timeout === undefined ? undefined : parseDuration(timeout, "--timeout");
  const watches = positionals.map((argument) => watchFor(argument, how));
  checkCommand(command);
  const progress = new Progress({ isTerminal: isTerminal(2), isSilent: json === true });
  const waited = await waitOrSignal(watches, timeoutMs, progress);
  if (typeof waited === "number") return waited;
  const status = STATUS[waited.outcome];
  if (json) {
    sayOut(waitedAsJson(waited, status));
    return status;
  }
  const say = command.length > 0 ? sayErr : sayOut; // standard output is the command's
  say(waitedText(waited));
  if (waited.outcome === "hopeless" && process.geteuid!() !== 0 && rootHelps(waited)) say(`  As root: ${asRoot()}\n`);
  if (waited.outcome === "reached" && command.length > 0) execvp(command as [string, ...string[]]);
  return status;
}
