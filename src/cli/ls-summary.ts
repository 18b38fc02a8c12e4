/** `ls --summary`: how many sockets by state, program, port or peer. */
import { toTcpSocket, type TcpSocket } from "../codec/tcp-socket.ts";
import { mayBeHidden, type HolderSearch } from "../linux/holders.ts";
import { programName } from "../linux/process.ts";
import { decodeRows, type SocketTable } from "../linux/socket-table.ts";
import { escapeForTerminal, toJson } from "../view/escape.ts";
import { cached } from "./cached.ts";
import { JSON_SCHEMA } from "./ls-json.ts";
import type { SummaryKey } from "./ls.ts";

/** The keys that a socket counts under: several if several programs hold it. */
function keysOf(
  socket: TcpSocket,
  by: SummaryKey,
  search: HolderSearch | undefined,
  program: (pid: number) => string | undefined,
): string[] {
  switch (by) {
    case "state":
      return [socket.state];
    case "port":
      return [String(socket.local.port)];
    case "peer":
      return [socket.peer.port === 0 ? "-" : socket.peer.address];
    case "program": {
      const holders = search?.holders.get(socket.inode);
      if (holders) return [...new Set(holders.map(({ pid }) => program(pid) ?? "?"))];
      return [socket.inode !== 0 && search && mayBeHidden(search) ? "?" : "-"];
    }
  }
}

/** A count for each key, and within it for each state; most first. */
export function summarize(table: SocketTable, by: SummaryKey, search: HolderSearch | undefined, json: boolean): string {
  const counts = new Map<string, Map<string, number>>();
  const program = cached(programName);
  let total = 0;
  for (const socket of decodeRows(table).map(toTcpSocket)) {
    total++;
    for (const key of keysOf(socket, by, search, program)) {
      const states = counts.get(key) ?? new Map<string, number>();
      counts.set(key, states.set(socket.state, (states.get(socket.state) ?? 0) + 1));
    }
  }
  const sum = (states: Map<string, number>) => [...states.values()].reduce((a, b) => a + b, 0);
  const rows = [...counts]
    .map(([key, states]) => ({ key, count: sum(states), states }))
    .sort((a, b) => b.count - a.count);
  if (json) {
    const groups = rows.map((row) => ({ ...row, states: Object.fromEntries(row.states) }));
    return `${toJson({ schema: JSON_SCHEMA, by, total, groups })}\n`;
  }
  const lines = rows.map(({ key, count, states }) => {
    const detail = by === "state" ? "" : `  ${[...states].map(([state, n]) => `${state} ${n}`).join(", ")}`;
    return `${String(count).padStart(8)}  ${escapeForTerminal(key)}${detail}\n`;
  });
  return `${lines.join("")}${String(total).padStart(8)}  TCP sockets in all; UDP is not looked at\n`;
}
