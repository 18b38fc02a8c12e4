/** `ls --json` and `--json-lines`; docs/json.md describes both. */
import type { TcpSocket } from "../codec/tcp-socket.ts";
import { unreadableUsers, type HolderSearch } from "../linux/holders.ts";
import { processFacts, programName } from "../linux/process.ts";
import type { SocketTable } from "../linux/socket-table.ts";
import { processObject, socketObject } from "../remedy/objects.ts";
import { toJson } from "../view/escape.ts";
import { cached } from "./cached.ts";

/** The version of the documents' shape: it grows when a field changes its meaning or goes, not when one is added. */
export const JSON_SCHEMA = 1;

export interface SocketList {
  table: SocketTable;
  sockets: readonly TcpSocket[];
  /** undefined: owners were not looked for. */
  search: HolderSearch | undefined;
}

/** Writes the sockets as one document or as one object a line. */
export function socketsAsJson(list: SocketList, form: "document" | "lines", sink: (text: string) => void): void {
  const { table, sockets, search } = list;
  const program = cached(programName);
  const object = (socket: TcpSocket) => toJson(socketObject(socket, search, program));
  if (form === "lines") {
    for (const socket of sockets) sink(`${object(socket)}\n`);
    return;
  }
  const pids = new Set(sockets.flatMap(({ inode }) => (search?.holders.get(inode) ?? []).map(({ pid }) => pid)));
  const processes = [...pids].map(processFacts).filter((facts) => facts !== undefined);
  const head = {
    schema: JSON_SCHEMA,
    source: table.source,
    denied: table.denied ?? null,
    interrupted: table.interrupted,
    unreadable: search && unreadableUsers(search),
    hidden: search && (search.hidden ?? null),
    processes: search && processes.map(processObject),
  };
  sink(`${toJson(head).slice(0, -1)},"sockets":[\n${sockets.map(object).join(",\n")}\n]}\n`);
}
