import { INET_DIAG_MSG } from "../codec/inet-diag.ts";
import { ALL_STATES_MASK, LISTEN_MASK } from "../codec/state.ts";
import { hasNoUid, toTcpSocket } from "../codec/tcp-socket.ts";
import type { HolderSearch } from "../linux/holders.ts";
import { commName, programName } from "../linux/process.ts";
import { decodeRows, filterRows, inodeAt, uidAt, type SocketTable } from "../linux/socket-table.ts";
import { readSockets } from "../linux/sockets.ts";
import { EXIT, UsageError } from "./exit-status.ts";
import { holdersOf, listSockets, shortcomings } from "./listing.ts";
import { socketsAsJson } from "./ls-json.ts";
import { summarize } from "./ls-summary.ts";
import { parseOptions } from "./options.ts";
import { terminalWidth, writeErr, writeOut } from "./output.ts";
import { parseWhat, type What } from "./what.ts";

export const help = `lastack ls: the kernel's TCP sockets, in all states

Usage: lastack ls [what...] [options]

what: any of these; several of a kind mean "or", different kinds mean "and"
  8000, :8000               a port, on either side
  127.0.0.1, 10.0.0.0/8     an address or network, on either side
  127.0.0.1:8000, [::1]:80  both on one side
  fe80::1%eth0              an address of a link, of sockets on that interface
  time-wait, close-wait     a state, in any spelling (FIN_WAIT2, fin-wait-2, ESTAB)
  node                      the program of a process that holds the socket
  pid 4242, user www-data, program NAME, state NAME, port N, address A

Options
  -l, --listen       listeners only
  -4, -6             IPv4 sockets only, IPv6 sockets only
      --no-owner     do not look for the processes (faster)
      --summary      counts instead of rows ...
      --by KEY       ... by state (the default), program, port or peer
      --json         one JSON document; --json-lines: one JSON object a socket
      --wide         do not cut lines at the terminal's width

Columns
  Proto   tcp4; tcp6; tcp46: an IPv6 socket that takes or carries IPv4
  Recv-Q  bytes received but not read; of a listener: connections not yet accepted
  Send-Q  bytes not yet acknowledged; of a listener: the limit of its queue
  Timer   what the kernel waits for, the time left, (how often it has fired)
  User    who created the socket
  Owner   every process and descriptor that holds it; -: none, the kernel alone has it

Examples
  lastack ls 8000                      all on port 8000: listener, connections, leftovers
  lastack ls close-wait --summary --by program
  lastack ls 10.0.0.0/8 established --json
`;

export type SummaryKey = "state" | "program" | "port" | "peer";
const SUMMARY_KEYS: readonly string[] = ["state", "program", "port", "peer"];

function options(args: string[]) {
  const { values, positionals } = parseOptions({
    args,
    allowPositionals: true,
    options: {
      listen: { type: "boolean", short: "l" },
      ipv4: { type: "boolean", short: "4" },
      ipv6: { type: "boolean", short: "6" },
      "no-owner": { type: "boolean" },
      summary: { type: "boolean" },
      by: { type: "string" },
      json: { type: "boolean" },
      "json-lines": { type: "boolean" },
      wide: { type: "boolean", short: "w" },
    },
  });
  if (values.by !== undefined && !SUMMARY_KEYS.includes(values.by)) {
    throw new UsageError(`--by ${values.by}: expected one of ${SUMMARY_KEYS.join(", ")}`);
  }
  if (values.json && values["json-lines"]) throw new UsageError("--json and --json-lines exclude each other");
  if (values["json-lines"] && (values.summary || values.by !== undefined)) {
    throw new UsageError("--json-lines is a line for each socket: a summary comes as --json");
  }
  return { values, what: parseWhat(positionals) };
}

/** Keeps what the kernel could not filter by: user, process, program. */
function narrow(table: SocketTable, what: What, search: HolderSearch | undefined): SocketTable {
  let narrowed = table;
  if (what.uids.size > 0) {
    narrowed = filterRows(
      narrowed,
      (bytes, at) => what.uids.has(uidAt(bytes, at)) && !hasNoUid(bytes[at + INET_DIAG_MSG.state]!, inodeAt(bytes, at)),
    );
  }
  if (what.pids.size === 0 && what.programs.size === 0) return narrowed;
  const named = new Map<number, boolean>();
  const isMeant = (pid: number) => {
    let meant = named.get(pid);
    if (meant === undefined) {
      const names = what.programs.size > 0 ? [programName(pid), commName(pid)] : [];
      meant = what.pids.has(pid) || names.some((name) => name !== undefined && what.programs.has(name));
      named.set(pid, meant);
    }
    return meant;
  };
  return filterRows(narrowed, (bytes, at) =>
    (search?.holders.get(inodeAt(bytes, at)) ?? []).some(({ pid }) => isMeant(pid)),
  );
}

export function run(args: string[]): number {
  const { values, what } = options(args);
  const ownersAsked = what.pids.size > 0 || what.programs.size > 0 || values.by === "program";
  if (values["no-owner"] && ownersAsked) {
    throw new UsageError("--no-owner leaves out what was asked for: the sockets of a process");
  }
  const listenMask = values.listen ? LISTEN_MASK : ALL_STATES_MASK;
  const read = readSockets({
    family: values.ipv4 === values.ipv6 ? "both" : values.ipv4 ? 2 : 10,
    states: (what.states ?? ALL_STATES_MASK) & listenMask,
    ...(what.filter && { filter: what.filter }),
  });
  const counted = values.summary || values.by !== undefined;
  const search = values["no-owner"] || (counted && !ownersAsked) ? undefined : holdersOf(read);
  const table = narrow(read, what, search);
  if (counted) {
    writeOut(summarize(table, (values.by ?? "state") as SummaryKey, search, values.json === true));
  } else if (values.json || values["json-lines"]) {
    const sockets = decodeRows(table).map(toTcpSocket);
    socketsAsJson({ table, sockets, search }, values.json ? "document" : "lines", writeOut);
  } else {
    listSockets(table, { search, terminalWidth: terminalWidth(), wide: values.wide === true }, writeOut);
  }
  for (const sentence of shortcomings(read, search)) writeErr(`lastack ls: ${sentence}\n`);
  return EXIT.ok;
}
