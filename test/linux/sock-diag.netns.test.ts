import { fstatSync, readFileSync, statSync } from "node:fs";
import { release } from "node:os";
import { afterEach, expect } from "vitest";
import {
  INET_DIAG_CONG,
  INET_DIAG_INFO,
  INET_DIAG_NOCOOKIE,
  INET_DIAG_SKMEMINFO,
  type InetDiagMessage,
} from "../../src/codec/inet-diag.ts";
import { ALL_STATES_MASK, stateMask, stateName, type TcpState } from "../../src/codec/state.ts";
import { toTcpSocket } from "../../src/codec/tcp-socket.ts";
import { encodeFilter } from "../../src/codec/inet-diag-filter.ts";
import { SockDiag } from "../../src/linux/sock-diag.ts";
import { decodeRows } from "../../src/linux/socket-table.ts";
import {
  encodeLinger,
  errnoNumber,
  getsockopt,
  send,
  setsockopt,
  shutdown,
  SHUT_WR,
  SO_LINGER,
  SO_RCVBUF,
  SOL_SOCKET,
  tryRecv,
  type Fd,
} from "../../src/sys/index.ts";
import { lacking, testNeeding } from "../support/needs.ts";
import { enterNamespace, localOf, Sockets } from "../support/tcp.ts";
import { until } from "../support/until.ts";

const NOBODY = 65_534;
const [major, minor] = release().split(".").map(Number);
const listsBound = major! > 6 || (major === 6 && minor! >= 8);

const sockets = new Sockets();
let diag: SockDiag;
afterEach(() => {
  sockets.close();
  diag?.close();
});

function begin(): void {
  enterNamespace();
  diag = new SockDiag();
}

type Query = Partial<Parameters<SockDiag["dump"]>[0]>;

function rows(query: Query = {}): InetDiagMessage[] {
  return decodeRows(diag.dump({ family: "both", states: ALL_STATES_MASK, ...query }));
}

/** The row of a socket by its descriptor. */
function rowOf(fd: Fd, query: Query = {}): InetDiagMessage {
  const { ino } = fstatSync(fd.number);
  return rows(query).find(({ inode }) => inode === ino)!;
}

const familyOf = (row: InetDiagMessage) => row.family as 2 | 10;
const lookUp = (row: InetDiagMessage, cookie = row.cookie) => diag.lookup(familyOf(row), { ...row, cookie });
const stateOf = (row: InetDiagMessage): TcpState | undefined => stateName(lookUp(row)?.state ?? -1);

/** Both ends of a connection, and the row that the client had when it was established. */
function connection(ip = "127.0.0.1"): { client: Fd; server: Fd; row: InetDiagMessage } {
  const pair = sockets.pair(sockets.listener(ip), ip);
  return { ...pair, row: rowOf(pair.client) };
}

/** A client in TIME-WAIT, and the row that it had before. */
async function timeWait(): Promise<InetDiagMessage> {
  const { client, server, row } = connection();
  client.close();
  server.close();
  await until("TIME-WAIT", () => stateOf(row) === "TIME-WAIT");
  return row;
}

testNeeding(["a network namespace"], "an exact look-up finds a socket by its id, with its cookie or without", () => {
  begin();
  for (const ip of ["127.0.0.1", "::1", "::ffff:127.0.0.1"]) {
    const { client, server } = connection(ip);
    for (const row of [rowOf(client), rowOf(server)]) {
      expect(lookUp(row)).toEqual(row);
      expect(lookUp(row, INET_DIAG_NOCOOKIE)).toEqual(row);
    }
  }
  const listener = rowOf(sockets.listener("127.0.0.1"));
  expect(lookUp(listener)).toEqual(listener);
});

testNeeding(["a network namespace"], "an exact look-up finds nothing under another cookie or after the end", () => {
  begin();
  const { client, server, row } = connection();
  expect(lookUp(row, row.cookie + 1n)).toBeUndefined();
  expect(lookUp(row)).toBeDefined();
  setsockopt(client, SOL_SOCKET, SO_LINGER, encodeLinger(0)); // a RST: no TIME-WAIT
  client.close();
  server.close();
  expect(lookUp(row)).toBeUndefined();
});

testNeeding(["a network namespace"], "TIME-WAIT keeps the socket's cookie, and neither inode nor uid", async () => {
  begin();
  const before = await timeWait();
  const after = lookUp(before)!;
  expect(before.cookie).not.toBe(0n);
  expect(after.cookie).toBe(before.cookie);
  expect(before.inode).not.toBe(0);
  expect(after.inode).toBe(0);
  expect(toTcpSocket(after).uid).toBeNull();
});

testNeeding(["a network namespace"], "destroying a TIME-WAIT ends it at once", async () => {
  begin();
  const row = await timeWait();
  diag.destroy(2, row);
  expect(lookUp(row)).toBeUndefined();
  expect(rows().find(({ cookie }) => cookie === row.cookie)).toBeUndefined();
});

testNeeding(["a network namespace"], "destroying a connection ends it at once, and both its programs learn it", () => {
  begin();
  const { client, server, row } = connection();
  diag.destroy(2, row);
  expect(lookUp(row)).toBeUndefined();
  expect(tryRecv(client, new Uint8Array(1))).toBe(-errnoNumber("ECONNABORTED"));
  expect(tryRecv(server, new Uint8Array(1))).toBe(-errnoNumber("ECONNRESET"));
});

testNeeding(["a network namespace"], "destroying what is not there, or under another cookie, is ENOENT", () => {
  begin();
  const { row } = connection();
  const missing = { ...row, sourcePort: 1 };
  expect(() => diag.destroy(2, missing)).toThrow(expect.objectContaining({ code: "ENOENT" }));
  expect(() => diag.destroy(2, { ...row, cookie: row.cookie + 1n })).toThrow(
    expect.objectContaining({ code: "ENOENT" }),
  );
  expect(stateOf(row)).toBe("ESTABLISHED");
});

testNeeding(
  ["a network namespace", "a second uid"],
  "without CAP_NET_ADMIN listing is allowed and destroying is EPERM",
  () => {
    begin();
    const { row } = connection();
    diag.close();
    process.seteuid!(NOBODY); // takes the effective capabilities with it
    try {
      diag = new SockDiag();
      expect(rows().map(({ cookie }) => cookie)).toContain(row.cookie);
      expect(() => diag.destroy(2, row)).toThrow(expect.objectContaining({ name: "NetlinkError", code: "EPERM" }));
    } finally {
      process.seteuid!(0);
    }
    expect(stateOf(row)).toBe("ESTABLISHED");
  },
);

testNeeding(["a network namespace"], "tcp_info tells the state, the path and what was carried", () => {
  begin();
  const { client, server } = connection();
  send(client, Buffer.alloc(1000));
  const infoOf = (fd: Fd) => toTcpSocket(rowOf(fd, { extensions: [INET_DIAG_INFO] })).info;
  expect(infoOf(client)).toMatchObject({ state: 1, pmtu: 65_535, bytesSent: 1000n, unacked: 0, retransmits: 0 });
  expect(infoOf(server)).toMatchObject({ state: 1, bytesReceived: 1000n, bytesSent: 0n });
  const { rttUs, rtoUs, sndMss, sndCwnd } = infoOf(client)!;
  expect(rttUs).toBeGreaterThan(0);
  expect(rttUs).toBeLessThan(1_000_000);
  expect(rtoUs).toBeGreaterThanOrEqual(rttUs!);
  expect(sndMss).toBeGreaterThan(1000);
  expect(sndCwnd).toBeGreaterThan(0);
  client.close();
  expect(infoOf(server)?.state).toBe(8); // CLOSE-WAIT
});

testNeeding(["a network namespace"], "memory and congestion control come when asked for, and only then", () => {
  begin();
  const { client, server } = connection();
  send(client, Buffer.alloc(5000));
  const asked = toTcpSocket(rowOf(server, { extensions: [INET_DIAG_SKMEMINFO, INET_DIAG_CONG] }));
  const [rmemAlloc, rcvbuf] = asked.memory!;
  expect(asked.memory!.length).toBeGreaterThanOrEqual(8);
  expect(rmemAlloc).toBeGreaterThanOrEqual(5000);
  expect(rcvbuf).toBe(getsockopt(server, SOL_SOCKET, SO_RCVBUF));
  const congestionControl = readFileSync("/proc/sys/net/ipv4/tcp_congestion_control", "latin1").trim();
  expect(asked.congestionControl).toBe(congestionControl);
  const unasked = toTcpSocket(rowOf(server));
  expect([unasked.memory, unasked.congestionControl, unasked.info]).toEqual([undefined, undefined, undefined]);
});

testNeeding(["a network namespace"], "a socket tells which of its directions are shut down", () => {
  begin();
  const { client, server } = connection();
  const shutdowns = () => [client, server].map((fd) => toTcpSocket(rowOf(fd)).shutdown);
  const RCV_SHUTDOWN = 1;
  const SEND_SHUTDOWN = 2;
  expect(shutdowns()).toEqual([0, 0]);
  shutdown(client, SHUT_WR);
  expect(shutdowns()).toEqual([SEND_SHUTDOWN, RCV_SHUTDOWN]);
});

testNeeding(["a network namespace"], "a socket tells the control group of its creator", (context) => {
  begin();
  const { cgroupId } = toTcpSocket(rowOf(sockets.listener("127.0.0.1")));
  const mount = /^\S+ (\S+) cgroup2 /m.exec(readFileSync("/proc/self/mounts", "latin1"))?.[1];
  const path = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "latin1"))?.[1];
  if (mount === undefined || cgroupId === undefined) return lacking(context, "control groups, version 2");
  // The id of a directory of this file system is its inode.
  expect(cgroupId).toBe(statSync(`${mount}${path}`, { bigint: true }).ino);
});

testNeeding(["a network namespace"], "sockets that are only bound are listed where the kernel does so", () => {
  begin();
  const bound = [sockets.bound("127.0.0.1"), sockets.bound("::1")];
  connection();
  const listed = rows({ states: stateMask("BOUND") }).map(toTcpSocket);
  expect(new Set(listed.map(({ local }) => local.port))).toEqual(
    new Set(listsBound ? bound.map((fd) => localOf(fd).port) : []),
  );
  expect(listed.every(({ state, peer }) => state === "BOUND" && peer.port === 0)).toBe(true);
});

testNeeding(["a network namespace"], "a connection that had bound itself goes on as bound when it is reset", () => {
  begin();
  const port = 4000; // bound to any port, with 0, it would lose it
  const { server } = sockets.pair(sockets.listener("127.0.0.1"), "127.0.0.1", { port });
  setsockopt(server, SOL_SOCKET, SO_LINGER, encodeLinger(0));
  server.close();
  const listed = rows().filter(({ sourcePort }) => sourcePort === port);
  expect(listed.map((row) => toTcpSocket(row).state)).toEqual(listsBound ? ["BOUND"] : []);
});

testNeeding(["a network namespace"], "a table of thousands arrives whole, in many parts", () => {
  begin();
  const count = 3000;
  const listener = sockets.listener("127.0.0.1");
  const { port } = localOf(listener);
  for (let i = 0; i < count; i++) {
    const { client, server } = sockets.pair(listener, "127.0.0.1");
    client.close();
    server.close();
  }
  const query = { family: "both" as const, states: stateMask("TIME-WAIT") };
  const bytecode = encodeFilter({ kind: "port", side: "peer", port });
  const { slabs, interrupted } = diag.dump({ ...query, bytecode });
  const ports = decodeRows({ slabs }).map(({ sourcePort }) => sourcePort);
  expect(interrupted).toBe(false);
  expect(slabs.length).toBeGreaterThan(1);
  expect([ports.length, new Set(ports).size]).toEqual([count, count]);
  expect(rows(query).filter(({ destinationPort }) => destinationPort === port).length).toBe(count);
});
