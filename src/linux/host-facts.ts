/** Looks at all connections of the calling thread's network namespace, without making an object of each. */
import { formatIp } from "../codec/address.ts";
import { INET_DIAG_MSG } from "../codec/inet-diag.ts";
import { LISTEN_MASK, stateMask } from "../codec/state.ts";
import { toTcpSocket } from "../codec/tcp-socket.ts";
import type { CloseWaitCount, Destination, FullListener, HostLook } from "../diagnose/host-facts.ts";
import { readCounter } from "./counters.ts";
import { findHolders, type HolderSearch } from "./holders.ts";
import { decodeRows, eachRow, inodeAt } from "./socket-table.ts";
import { readSockets } from "./sockets.ts";

const [FIN_WAIT_2, TIME_WAIT, CLOSE_WAIT] = [5, 6, 8]; // include/net/tcp_states.h
const CONNECTED = ~(LISTEN_MASK | stateMask("BOUND"));
/** So many destinations are told of. */
const MOST_DESTINATIONS = 20;

const BETWEEN = { from: INET_DIAG_MSG.src, to: INET_DIAG_MSG.if };

function endOf(bytes: Uint8Array, at: number, offset: number): string {
  const length = bytes[at] === 2 ? 4 : 16;
  return formatIp(bytes.slice(at + offset, at + offset + length));
}

const portAt = (bytes: Uint8Array, at: number) => (bytes[at]! << 8) | bytes[at + 1]!;

/** Counts of the connections from one address to one endpoint. */
class Destinations {
  readonly #counts = new Map<string, Destination>();

  add(bytes: Uint8Array, at: number): void {
    const dport = at + INET_DIAG_MSG.dport;
    const key =
      Buffer.from(bytes.buffer, bytes.byteOffset + dport, 2).toString("latin1") +
      Buffer.from(bytes.buffer, bytes.byteOffset + at + BETWEEN.from, BETWEEN.to - BETWEEN.from).toString("latin1");
    let count = this.#counts.get(key);
    if (!count) {
      const to = { address: endOf(bytes, at, INET_DIAG_MSG.dst), port: portAt(bytes, dport) };
      count = { from: endOf(bytes, at, INET_DIAG_MSG.src), to, ports: 0, timeWait: 0 };
      this.#counts.set(key, count);
    }
    count.ports++;
    if (bytes[at + INET_DIAG_MSG.state] === TIME_WAIT) count.timeWait++;
  }

  get fullest(): Destination[] {
    return [...this.#counts.values()].sort((a, b) => b.ports - a.ports).slice(0, MOST_DESTINATIONS);
  }
}

function closeWaitCounts(inodes: ReadonlySet<number>, { holders }: HolderSearch): CloseWaitCount[] {
  const counts = new Map<number | null, number>();
  for (const inode of inodes) {
    const pids = new Set<number | null>((holders.get(inode) ?? []).map(({ pid }) => pid));
    for (const pid of pids.size > 0 ? pids : [null]) counts.set(pid, (counts.get(pid) ?? 0) + 1);
  }
  return [...counts].map(([pid, count]) => ({ pid, count })).sort((a, b) => b.count - a.count);
}

/** One look. `range`: net.ipv4.ip_local_port_range. */
export function lookAtHost([least, most]: readonly [number, number]): HostLook {
  const destinations = new Destinations();
  const closeWait = new Set<number>();
  let timeWait = 0;
  eachRow(readSockets({ states: CONNECTED }), (bytes, at) => {
    const state = bytes[at + INET_DIAG_MSG.state]!;
    if (state === TIME_WAIT || (state === FIN_WAIT_2 && inodeAt(bytes, at) === 0)) timeWait++;
    // Without inode: nobody has accepted it yet.
    if (state === CLOSE_WAIT && inodeAt(bytes, at) !== 0) closeWait.add(inodeAt(bytes, at));
    const port = portAt(bytes, at + INET_DIAG_MSG.sport);
    if (port >= least && port <= most) destinations.add(bytes, at);
  });
  // A listener's queue is full when it is longer than its limit (sk_acceptq_is_full, include/net/sock.h).
  const full = decodeRows(readSockets({ states: LISTEN_MASK })).filter((row) => row.receiveQueue > row.sendQueue);
  const search = findHolders(new Set([...closeWait, ...full.map(({ inode }) => inode)]));
  const fullListeners = full.map((row): FullListener => ({
    local: toTcpSocket(row).local,
    waiting: row.receiveQueue,
    limit: row.sendQueue,
    pids: [...new Set((search.holders.get(row.inode) ?? []).map(({ pid }) => pid))],
  }));
  return {
    closeWait: closeWaitCounts(closeWait, search),
    timeWait,
    destinations: destinations.fullest,
    fullListeners,
    listenOverflows: readCounter("ListenOverflows") ?? 0,
    timeWaitOverflows: readCounter("TCPTimeWaitOverflow") ?? 0,
  };
}
