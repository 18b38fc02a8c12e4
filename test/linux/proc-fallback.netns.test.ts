import { afterAll, expect } from "vitest";
import type { InetDiagMessage } from "../../src/codec/inet-diag.ts";
import { matchesFilter, type Filter } from "../../src/codec/inet-diag-filter.ts";
import { stateMask, stateName } from "../../src/codec/state.ts";
import { decodeRows } from "../../src/linux/socket-table.ts";
import { readSockets } from "../../src/linux/sockets.ts";
import {
  addressOf,
  AF_NETLINK,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  PR_SET_NO_NEW_PRIVS,
  PR_SET_SECCOMP,
  prctl,
  SECCOMP_MODE_FILTER,
  send,
  setsockopt,
  shutdown,
  SHUT_WR,
  SOCK_NONBLOCK,
  SOCK_RAW,
  socket,
  tryConnect,
  type Fd,
} from "../../src/sys/index.ts";
import { lastack } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { enterNamespace, localOf, sockaddr, Sockets } from "../support/tcp.ts";
import { until } from "../support/until.ts";

const PORT = 8000;
const TCP_CLOSE = 7;
const TCP_LISTEN = 10;

const sockets = new Sockets();
afterAll(() => sockets.close());

async function populate(): Promise<void> {
  enterNamespace();
  const dualStack = (fd: Fd) => setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  const v4 = sockets.listener("127.0.0.1", { port: PORT, backlog: 9 });
  const v6 = sockets.listener("::1");
  const dual = sockets.listener("::", { prepare: dualStack });
  const { client, server } = sockets.pair(v4, "127.0.0.1");
  send(client, Buffer.alloc(1234));
  send(server, Buffer.alloc(1));
  sockets.pair(v6, "::1");
  sockets.pair(dual, "127.0.0.1");
  sockets.pair(dual, "::ffff:127.0.0.1");
  const halfClosed = sockets.pair(v4, "127.0.0.1");
  shutdown(halfClosed.client, SHUT_WR);
  for (const [listener, ip] of [[v4, "127.0.0.1"] as const, [v6, "::1"] as const, [dual, "127.0.0.1"] as const]) {
    const ended = sockets.pair(listener, ip);
    ended.client.close();
    ended.server.close();
  }
  // One connection fills this queue: the next stays in SYN-SENT.
  const full = sockets.listener("127.0.0.1", { backlog: 0 });
  sockets.client(full, "127.0.0.1");
  const refused = sockets.create("127.0.0.1", { flags: SOCK_NONBLOCK });
  tryConnect(refused, sockaddr("127.0.0.1", localOf(full).port));
  sockets.bound("127.0.0.1");
  sockets.bound("::1");
  await until("the ends of connections to settle", () => {
    const count = (state: "TIME-WAIT" | "FIN-WAIT-2") => decodeRows(readSockets({ states: stateMask(state) })).length;
    return count("TIME-WAIT") === 3 && count("FIN-WAIT-2") === 1;
  });
}

/** Numbers of socket(2) and the architecture's name in seccomp, include/uapi/linux/audit.h. */
const ARCHITECTURES: Record<string, { audit: number; socket: number }> = {
  x64: { audit: 0xc000_003e, socket: 41 },
  arm64: { audit: 0xc000_00b7, socket: 198 },
};

/** From now on socket(AF_NETLINK) is EPERM in this thread and in the processes that it starts. */
function denyNetlink(): void {
  const { audit, socket: socketCall } = ARCHITECTURES[process.arch]!;
  // struct seccomp_data: the call's number at 0, the architecture at 4, the first argument at 16
  const [LOAD, EQUAL, RETURN] = [0x20, 0x15, 0x06]; // BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, BPF_RET|BPF_K
  const [ALLOW, EPERM] = [0x7fff_0000, 0x0005_0001]; // SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO|EPERM
  // Each: operation, and where it compares, how many instructions to skip if equal and if not; operand
  const program = [
    [LOAD, 0, 0, 4],
    [EQUAL, 0, 5, audit],
    [LOAD, 0, 0, 0],
    [EQUAL, 0, 3, socketCall],
    [LOAD, 0, 0, 16],
    [EQUAL, 0, 1, AF_NETLINK],
    [RETURN, 0, 0, EPERM],
    [RETURN, 0, 0, ALLOW],
  ] as const;
  const code = Buffer.alloc(8 * program.length); // struct sock_filter
  for (const [i, [operation, yes, no, operand]] of program.entries()) {
    code.writeUInt16LE(operation, 8 * i);
    code.set([yes, no], 8 * i + 2);
    code.writeUInt32LE(operand, 8 * i + 4);
  }
  const filter = Buffer.alloc(16); // struct sock_fprog
  filter.writeUInt16LE(program.length);
  filter.writeBigUInt64LE(addressOf(code), 8);
  prctl(PR_SET_NO_NEW_PRIVS, 1);
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, addressOf(filter));
}

interface Seen {
  rows: InetDiagMessage[];
  /** What `ls` printed. */
  text: string;
}

let before: Seen | undefined;

/** What netlink told of the population; at the first call it is made, and netlink denied from then on. */
async function seenBeforeDenial(): Promise<Seen> {
  if (before) return before;
  await populate();
  before = { rows: decodeRows(readSockets()), text: lastack(["ls"]).stdout };
  denyNetlink();
  return before;
}

/** All that /proc tells too, without what changes by itself: a timer may have fired meanwhile. */
function comparable(row: InetDiagMessage): object {
  const sendQueue = row.state === TCP_LISTEN ? 0 : row.sendQueue;
  return { ...row, sendQueue, expiresMs: 0, retransmits: 0, cookie: 0n, attributes: [] };
}

const order = (rows: readonly object[]) => rows.map((row) => Object.values(row).join(" ")).sort();

testNeeding(
  ["a network namespace"],
  "where netlink is denied, /proc gives the same sockets but the bound",
  async () => {
    const { rows } = await seenBeforeDenial();
    expect(() => socket(AF_NETLINK, SOCK_RAW, 0)).toThrow(expect.objectContaining({ code: "EPERM" }));
    const table = readSockets();
    expect(table).toMatchObject({
      source: "/proc/net/tcp",
      denied: expect.stringMatching(/EPERM/),
      interrupted: false,
    });
    const expected = rows.filter(({ state }) => state !== TCP_CLOSE);
    expect(order(decodeRows(table).map(comparable))).toEqual(order(expected.map(comparable)));
    expect(new Set(expected.map(({ state }) => stateName(state)))).toEqual(
      new Set(["LISTEN", "ESTABLISHED", "SYN-SENT", "FIN-WAIT-2", "CLOSE-WAIT", "TIME-WAIT"]),
    );
  },
);

testNeeding(["a network namespace"], "where netlink is denied, families, states and filters still hold", async () => {
  const { rows } = await seenBeforeDenial();
  const filter: Filter = { kind: "address", side: "local", address: Uint8Array.of(127, 0, 0, 0), prefix: 8 };
  const states = stateMask("TIME-WAIT") | stateMask("LISTEN");
  const queries = [{ family: 2 as const }, { family: 10 as const }, { states }, { filter }, { states, filter }];
  for (const query of queries) {
    const expected = rows.filter(
      (row) =>
        row.state !== TCP_CLOSE &&
        (!("family" in query) || row.family === query.family) &&
        (!("states" in query) || (query.states & (1 << row.state)) !== 0) &&
        (!("filter" in query) || matchesFilter(filter, row)),
    );
    expect(order(decodeRows(readSockets(query)).map(comparable))).toEqual(order(expected.map(comparable)));
    expect(expected.length).toBeGreaterThan(0);
  }
});

const WARNING = /^lastack ls: netlink was refused \(.*EPERM.*\): .*\/proc\/net\/tcp.* only bound,.*takes IPv4 too$/m;

/** The rows of `ls` in their columns, without what changes by itself and what only netlink tells. */
function comparableText(text: string): string[] {
  const rows = text.split("\n").slice(1, -1);
  return rows
    .filter((row) => !/ BOUND /.test(row))
    .map((row) => {
      const columns = row.replaceAll(/:\d+\.\ds(\(\d+\))?/g, "").split(/\s+/);
      if (columns[5] === "LISTEN") columns[2] = "0";
      // /proc does not tell whether a listener at :: takes IPv4.
      return columns.join(" ").replace(/^tcp46 (.*) \*:(\d+) \*:\*/, "tcp6 $1 [::]:$2 [::]:*");
    })
    .sort();
}

testNeeding(
  ["a network namespace"],
  "where netlink is denied, ls lists from /proc and says what is missing",
  async () => {
    const { text } = await seenBeforeDenial();
    const { stdout, stderr, status } = lastack(["ls"]);
    expect(status).toBe(0);
    expect(stderr).toMatch(WARNING);
    expect(comparableText(stdout)).toEqual(comparableText(text));
    expect(stdout).toMatch(new RegExp(`0 +0 127\\.0\\.0\\.1:${PORT} .*LISTEN`)); // Send-Q was 9
  },
);

testNeeding(
  ["a network namespace"],
  "where netlink is denied, ls chooses by port, state and owner as before",
  async () => {
    const { text } = await seenBeforeDenial();
    const all = comparableText(text);
    const choices: [string[], (row: string) => boolean][] = [
      [[String(PORT)], (row) => row.includes(`:${PORT} `)],
      [["time-wait"], (row) => row.includes(" TIME-WAIT ")],
      [["-4"], (row) => row.startsWith("tcp4 ")],
      [[String(PORT), "listen"], (row) => row.includes(`:${PORT} `) && row.includes(" LISTEN ")],
      [["pid", String(process.pid)], (row) => row.includes(`(${process.pid},fd=`)],
    ];
    for (const [args, chosen] of choices) {
      const { stdout, stderr, status } = lastack(["ls", ...args]);
      expect(status).toBe(0);
      expect(stderr).toMatch(WARNING);
      expect(comparableText(stdout)).toEqual(all.filter(chosen));
      expect(comparableText(stdout).length).toBeGreaterThan(0);
    }
  },
);
