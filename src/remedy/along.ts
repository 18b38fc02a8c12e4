/** What else goes with a process: its sockets on other ports. */
import { readdirSync, readlinkSync } from "node:fs";
import { formatEndpoint } from "../codec/address.ts";
import { ALL_STATES_MASK, stateMask } from "../codec/state.ts";
import { toTcpSocket } from "../codec/tcp-socket.ts";
import { decodeRows } from "../linux/socket-table.ts";
import { readSockets } from "../linux/sockets.ts";

export interface Along {
  /** Other addresses and ports on which it listens. */
  listens: readonly string[];
  /** How many connections it has, on whatever port. */
  connections: number;
}

function socketInodes(pid: number): Set<number> {
  const inodes = new Set<number>();
  try {
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode !== undefined) inodes.add(Number(inode));
    }
  } catch {
    // It has ended, or may not be looked into: then it is not ended either.
  }
  return inodes;
}

/** What goes with each of these processes, `port` itself left out of the listeners. */
export function goesAlong(pids: readonly number[], port: number): Map<number, Along> {
  if (pids.length === 0) return new Map();
  const table = readSockets({ states: ALL_STATES_MASK & ~stateMask("TIME-WAIT") & ~stateMask("BOUND") });
  const sockets = decodeRows(table)
    .filter(({ inode }) => inode !== 0)
    .map(toTcpSocket);
  return new Map(
    pids.map((pid) => {
      const inodes = socketInodes(pid);
      const own = sockets.filter(({ inode }) => inodes.has(inode));
      const listens = own
        .filter(({ state, local }) => state === "LISTEN" && local.port !== port)
        .map(({ local }) => formatEndpoint(local.address, local.port));
      const connections = own.filter(({ peer }) => peer.port !== 0).length;
      return [pid, { listens: [...new Set(listens)], connections }];
    }),
  );
}
