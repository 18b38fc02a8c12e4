import { prepareReuse, type Reuse } from "../remedy/reuse.ts";
import { toJson } from "../view/escape.ts";
import { asRoot } from "./as-root.ts";
import { EXIT, UsageError } from "./exit-status.ts";
import { JSON_SCHEMA } from "./ls-json.ts";
import { parseOptions } from "./options.ts";
import { sayOut } from "./output.ts";
import { REUSE_HELPS, reuseText } from "./reuse-text.ts";
import { parseEndpoint } from "./values.ts";

export const help = `lastack reuse: set SO_REUSEADDR on the sockets of a running server, for the server that follows it

Usage: lastack reuse PORT... [options]

${REUSE_HELPS}
The running server is not stopped, and notices nothing: its sockets are borrowed for a moment (pidfd_getfd), set, and read
back. What the kernel alone keeps (TIME-WAIT and the like) can't be set any more; lastack free removes that.

Options
  -n, --dry-run  only say what is set, and what would be
      --json     as one JSON document (docs/json.md)

Exit status: 0 every socket of the port that a process has is set (or would be); 1 not all, or there is none; 3 a permission
is missing

Examples
  lastack reuse 3000      then restart the server on port 3000
  lastack reuse 3000 -n   whether its sockets are set already
`;

function statusOf({ live, waiting }: Reuse): number {
  const refused = live.map((one) => one.refused).filter((code) => code !== undefined);
  if (refused.includes("EPERM")) return EXIT.permission;
  return live.length > 0 && refused.length === 0 && waiting.length === 0 ? EXIT.ok : EXIT.no;
}

function reuseObject({ port, live, waiting, leftovers }: Reuse) {
  const ends = ({ state, local, peer }: Reuse["waiting"][number]) => ({ state, local, peer });
  return {
    port,
    live: live.map(({ socket, process, before, after, refused }) => ({
      ...ends(socket),
      process: process ? { pid: process.pid, program: process.program, user: process.user } : null,
      before: before ?? null,
      after: after ?? null,
      refused: refused ?? null,
    })),
    waiting: waiting.map(ends),
    leftovers: leftovers.map(ends),
  };
}

function portOf(argument: string): number {
  const { address, port } = parseEndpoint(argument);
  if (address) throw new UsageError(`'${argument}': all sockets of a port are set: lastack reuse ${port}`);
  return port;
}

export function run(args: string[]): number {
  const { values, positionals } = parseOptions({
    args,
    allowPositionals: true,
    options: { "dry-run": { type: "boolean", short: "n" }, json: { type: "boolean" } },
  });
  if (positionals.length === 0) throw new UsageError("which port? lastack reuse PORT...");
  const dryRun = values["dry-run"] === true;
  const ports = positionals.map(portOf);
  if (!values.json) sayOut(`${REUSE_HELPS}\n`);
  const results = ports.map((port) => prepareReuse(port, { dryRun }));
  const status = Math.max(...results.map(statusOf));
  if (values.json) {
    sayOut(`${toJson({ schema: JSON_SCHEMA, status, dryRun, ports: results.map(reuseObject) })}\n`);
    return status;
  }
  for (const result of results) sayOut(reuseText(result, dryRun));
  if (status === EXIT.permission && process.geteuid!() !== 0) sayOut(`  As root: ${asRoot()}\n`);
  return status;
}
