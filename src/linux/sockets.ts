/** The kernel's TCP sockets, from netlink or, where that is denied, from /proc. */
import { readFileSync } from "node:fs";
import { describeDecodeError } from "../codec/decoded.ts";
import {
  decodeInetDiagMessage,
  encodeInetDiagMessage,
  SOCK_DIAG_BY_FAMILY,
  type InetDiagMessage,
} from "../codec/inet-diag.ts";
import { encodeFilter, localPortOf, matchesFilter, type Filter } from "../codec/inet-diag-filter.ts";
import { encodeNetlinkMessage, NLATTR_HEADER_LENGTH, NLM_F_MULTI } from "../codec/nlmsg.ts";
import { decodeProcNetTcp } from "../codec/proc-net-tcp.ts";
import { ALL_STATES_MASK } from "../codec/state.ts";
import { SyscallError } from "../sys/index.ts";
import { NetlinkError } from "./netlink-error.ts";
import { SockDiag } from "./sock-diag.ts";
import { filterRows, type SocketTable } from "./socket-table.ts";

export interface SocketQuery {
  /** `both` walks the kernel's tables once for IPv4 and IPv6. */
  family?: "both" | 2 | 10;
  /** Bit mask of the kernel's states; all by default. */
  states?: number;
  filter?: Filter;
  /** INET_DIAG_* attributes beyond those that come by themselves. */
  extensions?: readonly number[];
}

/** Refusals that mean "not here", not "not this": answered by reading /proc. */
const DENIALS = new Set(["EPERM", "EACCES", "ENOENT", "EPROTONOSUPPORT", "EAFNOSUPPORT", "EOPNOTSUPP", "ENOSYS"]);

/** The length of an attribute, its header included, has 16 bits. */
const MAX_BYTECODE = 0xffff - NLATTR_HEADER_LENGTH;

type Request = Parameters<SockDiag["dump"]>[0];

function requestOf({ family = "both", states = ALL_STATES_MASK, extensions = [], filter }: SocketQuery): Request {
  const bytecode = filter && encodeFilter(filter);
  return {
    family,
    states,
    extensions,
    bytecode: bytecode && bytecode.length > MAX_BYTECODE ? undefined : bytecode,
    localPort: filter && localPortOf(filter),
  };
}

function ask(diag: SockDiag, request: Request, filter: Filter | undefined): SocketTable {
  const { slabs, interrupted } = diag.dump(request);
  const table: SocketTable = { slabs, source: "sock_diag", interrupted };
  if (!filter || request.bytecode || !encodeFilter(filter)) return table; // else it was too long
  return filterRows(table, (bytes, at, end) => {
    const socket = decodeInetDiagMessage(bytes.subarray(at, end));
    return socket.ok && matchesFilter(filter, socket.value);
  });
}

function withoutNetlink(query: SocketQuery, error: unknown): SocketTable {
  const denied = (error instanceof SyscallError || error instanceof NetlinkError) && DENIALS.has(error.code);
  if (!denied) throw error;
  return readProcNetTcp(query, error.message);
}

export function readSockets(query: SocketQuery = {}): SocketTable {
  try {
    using diag = new SockDiag();
    return ask(diag, requestOf(query), query.filter);
  } catch (error) {
    return withoutNetlink(query, error);
  }
}

/** The same, while this thread goes on: the kernel's walk over very many connections takes 10 ms and more. */
export async function readSocketsMeanwhile(query: SocketQuery): Promise<SocketTable> {
  const request = requestOf(query);
  try {
    using diag = new SockDiag();
    await diag.begin(request);
    return ask(diag, request, query.filter);
  } catch (error) {
    return withoutNetlink(query, error);
  }
}

function procFile(name: string): InetDiagMessage[] {
  let text: string;
  try {
    // thread-self: /proc/net follows the process's first thread, not the one that may have entered another namespace.
    text = readFileSync(`/proc/thread-self/net/${name}`, "latin1");
  } catch (error) {
    // A kernel without IPv6 has no tcp6.
    if (name === "tcp6" && (error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  const sockets = decodeProcNetTcp(text);
  if (!sockets.ok) throw new Error(`/proc/net/${name}: ${describeDecodeError(sockets.error)}`);
  return sockets.value;
}

function readProcNetTcp(query: SocketQuery, denied: string): SocketTable {
  const { family = "both", states = ALL_STATES_MASK, filter } = query;
  const sockets = [...(family === 10 ? [] : procFile("tcp")), ...(family === 2 ? [] : procFile("tcp6"))].filter(
    (socket) => (states & (1 << socket.state)) !== 0 && (!filter || matchesFilter(filter, socket)),
  );
  const slabs = sockets.map((socket) => {
    const payload = encodeInetDiagMessage(socket);
    const bytes = encodeNetlinkMessage({ type: SOCK_DIAG_BY_FAMILY, flags: NLM_F_MULTI, seq: 0, pid: 0, payload });
    return { bytes, length: bytes.length };
  });
  return { slabs, source: "/proc/net/tcp", denied, interrupted: false };
}
