/** What is found out at the same time as the kernel walks over its connections is what is found out one after the other. */
import { fstatSync } from "node:fs";
import { afterEach, expect } from "vitest";
import { stateMask } from "../../src/codec/state.ts";
import { collectFacts, lookAhead } from "../../src/linux/facts.ts";
import { findHoldersAmong, type Holder } from "../../src/linux/holders.ts";
import { decodeRows, type SocketTable } from "../../src/linux/socket-table.ts";
import { readSockets, readSocketsMeanwhile, type SocketQuery } from "../../src/linux/sockets.ts";
import { SockDiag } from "../../src/linux/sock-diag.ts";
import type { SocketDescriptor } from "../../src/linux/task-files.ts";
import { endAll, Running } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { enterNamespace, localOf, Sockets } from "../support/tcp.ts";
import { until } from "../support/until.ts";

const sockets = new Sockets();
afterEach(async () => {
  sockets.close();
  await endAll();
});

/** A listener that another process holds too, a connection, and one that has ended. */
async function busyPort(): Promise<{ port: number; inode: number; held: Holder[] }> {
  enterNamespace();
  const listener = sockets.listener("127.0.0.1");
  const { port } = localOf(listener);
  const { pid } = new Running(["cat"], { stdio: ["pipe", "pipe", "pipe", listener.number] });
  sockets.pair(listener, "127.0.0.1");
  const ended = sockets.pair(listener, "127.0.0.1");
  ended.server.close();
  ended.client.close();
  await until("a TIME-WAIT", () =>
    readSockets({ states: stateMask("TIME-WAIT") }).slabs.some((slab) => slab.length > 0),
  );
  const held = [
    { pid: process.pid, fd: listener.number },
    { pid, fd: 3 },
  ];
  return { port, inode: fstatSync(listener.number).ino, held };
}

const onPort = (port: number): SocketQuery => ({ filter: { kind: "port", side: "local", port } });
/** What does not change by itself: timers run. */
const rows = (table: SocketTable) => decodeRows(table).map((row) => ({ ...row, expiresMs: 0, attributes: [] }));

testNeeding(["a network namespace"], "the kernel's walk on another thread brings the same rows", async () => {
  const { port } = await busyPort();
  const [query, table] = [onPort(port), readSockets(onPort(port))];
  expect(
    rows(table)
      .map(({ state }) => state)
      .sort(),
  ).toEqual([1, 10, 6].sort());
  expect(rows(await readSocketsMeanwhile(query))).toEqual(rows(table));
  // Several at once, and more rows than one answer holds.
  const all = await Promise.all([readSocketsMeanwhile(query), readSocketsMeanwhile({}), readSocketsMeanwhile(query)]);
  expect(all.map((one) => rows(one).length)).toEqual([3, rows(readSockets()).length, 3]);
});

testNeeding(
  ["a network namespace"],
  "a dump that could not be begun on another thread is made on this one",
  async () => {
    const { port } = await busyPort();
    using diag = new SockDiag();
    const request = { family: "both", states: -1, localPort: port } as const;
    // Longer than the socket's buffer for sending: send(2) answers EMSGSIZE.
    await diag.begin({ ...request, bytecode: new Uint8Array(1 << 20) });
    expect(rows({ ...diag.dump(request), source: "sock_diag" })).toHaveLength(3);
  },
);

testNeeding(["a network namespace"], "the facts are the same", async () => {
  const { port, inode, held } = await busyPort();
  const addresses = [{ address: Uint8Array.of(0, 0, 0, 0) }];
  const ahead = await lookAhead(port, addresses, readSocketsMeanwhile(onPort(port)));
  const facts = [collectFacts(port, addresses, { ahead }), collectFacts(port, addresses)].map(({ facts: found }) => ({
    ...found,
    nowMs: 0,
    unreadable: [], // the iterator reads them all
    sockets: found.sockets.map((socket) => ({ ...socket, timer: undefined })),
    processes: new Map([...found.processes].map(([pid, one]) => [pid, { ...one, state: "" }])), // it may run, or sleep
  }));
  expect(facts[0]).toEqual(facts[1]);
  expect(facts[0]!.sockets.find((socket) => socket.inode === inode)!.holders).toEqual(expect.arrayContaining(held));
});

testNeeding(["a network namespace"], "holders that are younger than the search are looked for anew", async () => {
  const { inode, held } = await busyPort();
  const among = (descriptors: SocketDescriptor[], ...inodes: number[]) =>
    findHoldersAmong(descriptors, new Set(inodes)).holders.get(inode);
  expect(among([], inode)).toEqual(expect.arrayContaining(held));
  const found = held.map((holder) => ({ ...holder, inode }));
  expect(among([...found, { pid: 1, fd: 9, inode: 1 }], inode)).toEqual(held);
  expect(among([found[0]!], inode, 1)).toEqual(expect.arrayContaining(held)); // of one nothing was known
});
