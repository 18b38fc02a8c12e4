import { spawnSync } from "node:child_process";
import { release } from "node:os";
import { isDeepStrictEqual } from "node:util";
import { afterAll, expect } from "vitest";
import { formatIp } from "../../src/codec/address.ts";
import type { InetDiagMessage } from "../../src/codec/inet-diag.ts";
import { STATES, type TcpState } from "../../src/codec/state.ts";
import { toTcpSocket } from "../../src/codec/tcp-socket.ts";
import { decodeRows } from "../../src/linux/socket-table.ts";
import { readSockets } from "../../src/linux/sockets.ts";
import {
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  send,
  setsockopt,
  shutdown,
  SHUT_WR,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  tryConnect,
  type Fd,
} from "../../src/sys/index.ts";
import { lastack } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { enterNamespace, localOf, sockaddr, Sockets } from "../support/tcp.ts";
import { ACK, FIN } from "../../src/codec/tcp.ts";
import { TunPeer } from "../support/tun-peer.ts";
import { until } from "../support/until.ts";

const SO_BINDTODEVICE = 25;

/** Every state that a table can hold, except BOUND, which only newer versions of ss know. */
const TEN_STATES: TcpState[] = [
  "LISTEN",
  "ESTABLISHED",
  "SYN-SENT",
  "SYN-RECEIVED",
  "FIN-WAIT-1",
  "FIN-WAIT-2",
  "TIME-WAIT",
  "CLOSE-WAIT",
  "LAST-ACK",
  "CLOSING",
];

/** Linux lists sockets that are only bound since 6.8. */
const [major, minor] = release().split(".").map(Number);
const listsBound = major! > 6 || (major === 6 && minor! >= 8);

const v6only = (fd: Fd) => setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
const dualStack = (fd: Fd) => setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
const onLoopback = (fd: Fd) => setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, Buffer.from("lo\0"));

/** Connections over loopback and their listeners; some are not accepted, some hold unread data. */
function populateLoopback(sockets: Sockets): void {
  const v4 = sockets.listener("127.0.0.1", { backlog: 7 });
  for (let i = 0; i < 3; i++) sockets.client(v4, "127.0.0.1");
  const dual = sockets.listener("::", { prepare: dualStack, backlog: 5 });
  sockets.client(dual, "127.0.0.1");
  sockets.accept(dual);
  sockets.pair(dual, "::1");
  sockets.pair(dual, "::ffff:127.0.0.1");
  sockets.client(dual, "127.0.0.1"); // stays in the queue
  const v6 = sockets.listener("::", { prepare: v6only });
  const { client, server } = sockets.pair(v6, "::1");
  send(client, Buffer.alloc(4321));
  send(server, Buffer.alloc(10));
  sockets.listener("::1");
  const device = sockets.listener("0.0.0.0", { prepare: onLoopback });
  sockets.pair(device, "127.0.0.2", { prepare: onLoopback });
  sockets.listener("::", { prepare: (fd) => (dualStack(fd), onLoopback(fd)) });
  sockets.listener("::", { prepare: (fd) => (v6only(fd), onLoopback(fd)) });
  // Closed by both: over IPv6, and over IPv4 to an IPv6 socket.
  for (const ip of ["::1", "127.0.0.1"]) {
    const ended = sockets.pair(dual, ip);
    ended.server.close();
    ended.client.close();
  }
}

/** Connections to a peer that leaves them where they are: with descriptors, and where a state can be, without. */
function populatePeer(sockets: Sockets, peer: TunPeer): void {
  const listener = sockets.listener(peer.kernelAddress);
  const { port } = localOf(listener);
  const connected = () => ({ connection: peer.connect(port), socket: sockets.accept(listener) });

  peer.knock(port); // SYN-RECEIVED
  const silent = sockets.create(peer.address, { flags: SOCK_NONBLOCK });
  tryConnect(silent, sockaddr(peer.address, 80)); // SYN-SENT

  const unsent = sockets.create(peer.address, { flags: SOCK_NONBLOCK });
  tryConnect(unsent, sockaddr(peer.address, 443));
  peer.accept(localOf(unsent).port);
  send(unsent, Buffer.alloc(777)); // ESTABLISHED, never acknowledged

  for (const end of [(socket: Fd) => shutdown(socket, SHUT_WR), (socket: Fd) => socket.close()]) {
    end(connected().socket); // FIN-WAIT-1

    const finWait2 = connected();
    end(finWait2.socket);
    finWait2.connection.ack++;
    finWait2.connection.send(ACK);

    const closing = connected();
    end(closing.socket);
    closing.connection.send(FIN | ACK);

    const timeWait = connected();
    end(timeWait.socket);
    timeWait.connection.ack++;
    timeWait.connection.send(FIN | ACK);

    const lastAck = connected();
    lastAck.connection.send(FIN | ACK);
    end(lastAck.socket);
  }
  connected().connection.send(FIN | ACK); // CLOSE-WAIT
  connected().connection.send(FIN | ACK, "unread"); // CLOSE-WAIT with unread data
}

const sockets = new Sockets();
let peer: TunPeer | undefined;
let bound: Fd[] = [];

function populate(): void {
  if (peer) return;
  enterNamespace();
  peer = new TunPeer();
  populateLoopback(sockets);
  populatePeer(sockets, peer);
  bound = [sockets.bound("127.0.0.1"), sockets.bound("::1"), sockets.bound("::", { prepare: v6only })];
}

afterAll(() => {
  sockets.close();
  peer?.close();
});

const ssName = new Map(STATES.map(({ rfc, ss }) => [rfc as string, ss]));

/** `STATE RECV-Q SEND-Q LOCAL PEER` of each row, as ss spells them, but for a device, which ss has behind the bracket. */
function rowsOfSs(): string[] {
  const { stdout, status } = spawnSync("ss", ["-H", "-tan"], { encoding: "utf8" });
  expect(status).toBe(0);
  const rows = stdout.trim().split("\n");
  const words = (row: string) =>
    row
      .trim()
      .replace(/\](%[^:]+):/, "$1]:")
      .split(/\s+/);
  return rows.map((row) => words(row).slice(0, 5).join(" ")).sort();
}

function rowsOfLastack(): string[] {
  const { stdout, stderr, status } = lastack(["ls", "--no-owner"]);
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  const rows = stdout.trim().split("\n").slice(1);
  return rows
    .map((row) => {
      const [, receiveQueue, sendQueue, local, remote, state] = row.split(/\s+/);
      return [ssName.get(state!), receiveQueue, sendQueue, local, remote].join(" ");
    })
    .sort();
}

/** Older versions of ss do not list these, newer ones may. */
const isBound = (row: string) => /^(UNCONN|BOUND-INACTIVE) /.test(row);

testNeeding(
  ["a network namespace", "/dev/net/tun", "ss"],
  "ls shows the same sockets, queues and addresses as ss, in all ten states",
  async () => {
    populate();
    let ours: string[] = [];
    let theirs: string[] = [];
    const look = () => {
      ours = rowsOfLastack().filter((row) => !isBound(row));
      theirs = rowsOfSs().filter((row) => !isBound(row));
      return isDeepStrictEqual(ours, theirs);
    };
    // A timer may change a row between the two looks; what differs in all of them is a real difference.
    await until("equal tables", look, 3000).catch(() => {});
    expect(ours).toEqual(theirs);

    const states = ours.map((row) => row.split(" ")[0]);
    expect(new Set(states)).toEqual(new Set(TEN_STATES.map((state) => ssName.get(state))));
    const queues = ours.map((row) => row.split(" ").slice(0, 3).join(" "));
    expect(queues).toEqual(expect.arrayContaining(["ESTAB 4321 0", "ESTAB 0 777", "CLOSE-WAIT 7 0", "LISTEN 3 7"]));
  },
);

testNeeding(["a network namespace", "/dev/net/tun"], "sockets that are only bound are listed as BOUND", () => {
  populate();
  const expected = bound.map((fd) => {
    const { address, port } = localOf(fd);
    return { ip: formatIp(address), port, any: address.length === 4 ? "0.0.0.0" : "::" };
  });
  const listed = decodeRows(readSockets()).map(toTcpSocket);
  const inLibrary = listed.filter(({ state }) => state === "BOUND").map(({ local, peer: { port } }) => [local, port]);
  const endpoints = expected.map(({ ip: address, port }) => [{ address, port }, 0]);
  expect(new Set(inLibrary)).toEqual(new Set(listsBound ? endpoints : []));

  const bracket = (ip: string) => (ip.includes(":") ? `[${ip}]` : ip);
  const rows = expected.map(({ ip, port, any }) => `BOUND-INACTIVE 0 0 ${bracket(ip)}:${port} ${bracket(any)}:*`);
  expect(rowsOfLastack().filter(isBound)).toEqual(listsBound ? rows.sort() : []);
});

/** The row as text, without what changes by itself: the timer. */
function still({ attributes, ...fields }: InetDiagMessage): string {
  const others = { ...fields, timer: 0, expiresMs: 0, retransmits: 0 };
  return [...Object.values(others), ...attributes.map(({ type, value }) => `${type}:${value}`)].join(" ");
}

testNeeding(
  ["a network namespace", "/dev/net/tun"],
  "one walk for both families lists what a walk for each lists",
  () => {
    populate();
    const list = (family: "both" | 2 | 10) => decodeRows(readSockets({ family })).map(still);
    const [both, v4, v6] = [list("both"), list(2), list(10)];
    expect([...v4, ...v6].sort()).toEqual(both.sort());
    expect(Math.min(v4.length, v6.length)).toBeGreaterThan(10);
  },
);

testNeeding(["a network namespace", "/dev/net/tun"], "each state has the timer that belongs to it", () => {
  populate();
  const all = decodeRows(readSockets()).map(toTcpSocket);
  const timersOf = (state: TcpState) => all.filter((one) => one.state === state).map(({ timer }) => timer);
  const kinds = (state: TcpState) => new Set(timersOf(state).map((timer) => timer?.kind ?? "none"));
  expect(Object.fromEntries(TEN_STATES.map((state) => [state, [...kinds(state)].sort()]))).toEqual({
    LISTEN: ["none"],
    ESTABLISHED: ["none", "retransmit"], // the second: with data that nobody acknowledges
    "SYN-SENT": ["retransmit"],
    "SYN-RECEIVED": ["retransmit"],
    "FIN-WAIT-1": ["retransmit"],
    "FIN-WAIT-2": ["none", "timewait"], // with and without a descriptor
    "TIME-WAIT": ["timewait"],
    "CLOSE-WAIT": ["none"],
    "LAST-ACK": ["retransmit"],
    CLOSING: ["retransmit"],
  });
  for (const timer of timersOf("TIME-WAIT")) {
    expect(timer!.leftMs).toBeGreaterThan(0);
    expect(timer!.leftMs).toBeLessThanOrEqual(60_000);
    expect(timer!.retransmits).toBe(0);
  }
  // tcp(7): the sixth SYN waits 64 s.
  for (const timer of timersOf("SYN-SENT")) expect(timer!.leftMs).toBeLessThanOrEqual(64_000);
});
