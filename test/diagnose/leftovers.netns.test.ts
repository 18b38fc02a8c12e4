/** Connections whose listener is gone, in each state: made for real, diagnosed, and ended as the remedy says. */
import { spawnSync } from "node:child_process";
import { afterEach, beforeEach, expect } from "vitest";
import { readParameter, writeParameter } from "../../src/linux/parameter.ts";
import {
  SHUT_WR,
  shutdown,
  SO_RCVBUF,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  setsockopt,
  trySend,
  type Fd,
} from "../../src/sys/index.ts";
import { endAll, lastack } from "../support/cli.ts";
import { statesOf } from "../cli/helpers.ts";
import { testNeeding } from "../support/needs.ts";
import { enterNamespace, localOf } from "../support/tcp.ts";
import { until } from "../support/until.ts";
import {
  apply,
  becomesFree,
  bindsNow,
  expectTruth,
  findingOf,
  flags,
  handOver,
  sockets,
  summary,
  why,
  type Flags,
} from "./situation.ts";

const NAMESPACE = ["a network namespace"] as const;
const WITH_SS = ["a network namespace", "ss"] as const;

beforeEach(() => enterNamespace());
afterEach(async () => {
  sockets.close();
  await endAll();
});

/** Both ends of a connection to this port, whose listener has gone. */
function connection(port: number, how: Flags & { clientFlags?: number } = {}): { client: Fd; server: Fd } {
  const listener = sockets.listener("0.0.0.0", { port, prepare: flags(how) });
  const ends = sockets.pair(listener, "127.0.0.1");
  listener.close();
  return ends;
}

const reaches = (port: number, state: string) => until(`${state} on ${port}`, () => statesOf(port).includes(state));

async function timeWait(port: number, how: Flags = {}): Promise<void> {
  const { client, server } = connection(port, how);
  server.close();
  client.close();
  await reaches(port, "TIME-WAIT");
}

testNeeding(WITH_SS, "TIME-WAIT of a server without SO_REUSEADDR blocks all; it can be ended", async () => {
  await timeWait(4000);
  const told = why(4000);
  expect(summary(told)).toEqual(["time-wait", "EADDRINUSE", "EADDRINUSE"]);
  // The kernel does not tell a TIME-WAIT's options: a trial was made where they decide, and there only.
  expect(told.asks.map(({ provedBy }) => provedBy)).toEqual(["facts", "trial"]);
  expectTruth(told, 4000);
  const leftMs = Date.parse(told.freeAt!) - Date.now();
  expect(leftMs).toBeGreaterThan(50_000);
  expect(leftMs).toBeLessThan(60_000);
  const finding = findingOf(told, "time-wait");
  expect(finding.endsAt).toBe(told.freeAt);
  expect(finding.remedies[0]!.what).toMatch(/^wait (59|60) s; with/);
  expect(finding.remedies[0]!.command?.slice(-2)).toEqual(["wait", "4000"]);
  apply(finding, /free 4000$/);
  await becomesFree(4000);
  expect(why(4000).answer).toBe("free");
});

testNeeding(NAMESPACE, "TIME-WAIT of a server with SO_REUSEADDR: free for those who set it", async () => {
  await timeWait(4001, { reuseAddress: true });
  const told = why(4001);
  expect(summary(told)).toEqual(["time-wait", "EADDRINUSE", null]);
  expect(told.headline).toMatch(
    /^Port 4001 is taken for a plain socket, free for Node's listen: 1 connection in TIME-WAIT/,
  );
  expectTruth(told, 4001);
  expect(why(4001, ["--reuse-address"]).answer).toBe("free");
  const { stdout } = lastack(["4001"]);
  expect(stdout).toMatch(/a plain socket on 0\.0\.0\.0:4001 +EADDRINUSE\n {2}Node's listen on \*:4001 +granted\n/);
  expect(stdout).toMatch(/\nFree by itself at \d\d:\d\d:\d\d, in \d\d s\.\n/);
});

testNeeding(
  NAMESPACE,
  "--no-probe makes no trial: what would take one is not known, and status 3 says so",
  async () => {
    await timeWait(4002, { reuseAddress: true });
    const told = why(4002, ["--no-probe", "--reuse-address"]);
    expect(told.answer).toBe("unknown");
    expect(told.unknowns.join("\n")).toContain("no bind was tried");
    expect(told.headline).toMatch(/^Port 4002 may be taken/);
    const { stdout } = lastack(["why", "4002", "--no-probe", "--reuse-address"]);
    expect(stdout).toMatch(/\nNot known\n {2}a bind to .*\n {2}Without --no-probe the bind is made, .*\n$/);
  },
);

testNeeding(NAMESPACE, "FIN-WAIT-2 that nobody has: it ends when it is said to", async () => {
  writeParameter("net.ipv4.tcp_fin_timeout", 2);
  const { server } = connection(4003);
  server.close();
  await reaches(4003, "FIN-WAIT-2");
  const told = why(4003);
  expect(summary(told)).toEqual(["orphan-fin-wait-2", "EADDRINUSE", "EADDRINUSE"]);
  expectTruth(told, 4003);
  const endsAtMs = Date.parse(told.freeAt!);
  expect(endsAtMs - Date.now()).toBeLessThan(2000);
  apply(findingOf(told, "orphan-fin-wait-2"), /wait 4003$/);
  await becomesFree(4003);
  expect(Date.now()).toBeGreaterThan(endsAtMs - 100);
  writeParameter("net.ipv4.tcp_fin_timeout", 60);
});

testNeeding(WITH_SS, "FIN-WAIT-2 after shutdown: no timer ends it, its owner has to", async () => {
  const { server } = connection(4004);
  shutdown(server, SHUT_WR);
  const { pid } = handOver([server]);
  await reaches(4004, "FIN-WAIT-2");
  const told = why(4004);
  expect(summary(told)).toEqual(["half-closed", "EADDRINUSE", "EADDRINUSE"]);
  expect(told.freeAt).toBeNull();
  expect(told.headline).toContain(`cat (pid ${pid}, root)`);
  expectTruth(told, 4004);
  const finding = findingOf(told, "half-closed");
  apply(finding, /free 4004$/);
  await becomesFree(4004);
});

testNeeding(WITH_SS, "FIN-WAIT-1 with data that the peer does not read", async () => {
  const listener = sockets.listener("0.0.0.0", { port: 4005 });
  const client = sockets.client(listener, "127.0.0.1", {
    prepare: (fd) => setsockopt(fd, SOL_SOCKET, SO_RCVBUF, 4096),
  });
  const server = sockets.accept(listener);
  listener.close();
  const block = new Uint8Array(65_536);
  while (trySend(server, block, 0x40 /* MSG_DONTWAIT */) > 0);
  server.close();
  await until("a zero window", () => why(4005).findings[0]!.cause === "unread-data");
  const told = why(4005);
  expect(summary(told)).toEqual(["unread-data", "EADDRINUSE", "EADDRINUSE"]);
  expect(told.headline).toMatch(/closed with [\d,]{4,} bytes unsent that the peer does not read/);
  expect(findingOf(told, "unread-data").detail.join("\n")).toContain(`127.0.0.1:${localOf(client).port}`);
  expectTruth(told, 4005);
  apply(findingOf(told, "unread-data"), /free 4005$/);
  await becomesFree(4005);
});

testNeeding(WITH_SS, "LAST-ACK whose FIN is not answered", async () => {
  const { client, server } = connection(4006);
  shutdown(client, SHUT_WR);
  await reaches(4006, "CLOSE-WAIT");
  spawnSync("ip", ["link", "set", "lo", "down"]);
  try {
    server.close();
    await reaches(4006, "LAST-ACK");
    const told = why(4006);
    expect(summary(told)).toEqual(["unanswered-close", "EADDRINUSE", "EADDRINUSE"]);
    expect(told.headline).toContain("LAST-ACK");
    expectTruth(told, 4006);
    apply(findingOf(told, "unanswered-close"), /free 4006$/);
    await becomesFree(4006);
  } finally {
    spawnSync("ip", ["link", "set", "lo", "up"]);
  }
});

testNeeding(WITH_SS, "open connections of a listener that is gone", async () => {
  const { server } = connection(4007);
  const { pid } = handOver([server]);
  const told = why(4007);
  expect(summary(told)).toEqual(["leftover-connections", "EADDRINUSE", "EADDRINUSE"]);
  expect(told.headline).toContain(`held by cat (pid ${pid}, root), although nobody listens any more`);
  expectTruth(told, 4007);
  const finding = findingOf(told, "leftover-connections");
  apply(finding, /reuse 4007$/);
  expect(bindsNow("0.0.0.0", 4007)).toBe(false);
  await becomesFree(4007, "0.0.0.0", { reuseAddress: true });
  apply(finding, /free 4007$/);
  await becomesFree(4007);
});

testNeeding(NAMESPACE, "with SO_REUSEADDR on both sides, open connections do not block", () => {
  const { server } = connection(4008, { reuseAddress: true });
  handOver([server]);
  const told = why(4008);
  expect(summary(told)).toEqual(["leftover-connections", "EADDRINUSE", null]);
  // The option was read from the connection itself, and still the answer was proved.
  expect(told.sockets[0]!.options).toMatchObject({ reuseAddress: true, reusePort: false });
  expectTruth(told, 4008);
});

testNeeding(NAMESPACE, "CLOSE-WAIT: who has not closed which descriptor, and since when nothing came", async () => {
  const { client, server } = connection(4009);
  const { pid } = handOver([server]);
  client.close();
  await reaches(4009, "CLOSE-WAIT");
  const told = why(4009);
  expect(summary(told)).toEqual(["close-wait", "EADDRINUSE", "EADDRINUSE"]);
  const finding = findingOf(told, "close-wait");
  expect(finding.detail[0]).toMatch(new RegExp(`^descriptor 3 of pid ${pid}; the last segment came \\d s ago$`));
  expectTruth(told, 4009);
  apply(finding, /free 4009$/);
  await becomesFree(4009);
});

testNeeding(NAMESPACE, "an outgoing connection that was given the port by chance", async () => {
  const listener = sockets.listener("127.0.0.1", { port: 443 });
  const { client } = sockets.pair(listener, "127.0.0.1");
  const { port } = localOf(client);
  const holder = handOver([client]);
  const told = why(port);
  expect(summary(told)).toEqual(["outgoing-connection", "EADDRINUSE", "EADDRINUSE"]);
  expect(told.headline).toContain(`cat (pid ${holder.pid}, root) is connected from 127.0.0.1:${port} to 127.0.0.1:443`);
  expectTruth(told, port);
  const finding = findingOf(told, "outgoing-connection");
  const [least] = readParameter("net.ipv4.ip_local_port_range").split(/\s+/);
  expect(finding.remedies[0]!.what).toBe(`take a port below ${least}`);
  expect(bindsNow("0.0.0.0", Number(least) - 1)).toBe(true);
  apply(finding, /ip_local_reserved_ports/);
  expect(readParameter("net.ipv4.ip_local_reserved_ports")).toBe(String(port));
  apply(finding, /free \d+ --connections$/);
  expect(holder.child.exitCode).toBeNull(); // the program lives
  await becomesFree(port);
});

testNeeding(NAMESPACE, "a listener with open connections: what they will do to the next server", async () => {
  const listener = sockets.listener("0.0.0.0", { port: 4010, flags: SOCK_NONBLOCK });
  const { server } = sockets.pair(listener, "127.0.0.1");
  const { pid } = handOver([listener, server]);
  const finding = findingOf(why(4010), "listener");
  expect(why(4010).findings.map(({ cause }) => cause)).toEqual(["listener"]); // no leftover: its listener is there
  expect(finding.detail.join("\n")).toMatch(/1 connection with it: .* 60 s, whatever the next server sets/);
  process.kill(pid);
  await reaches(4010, "FIN-WAIT-2");
  expect(bindsNow("0.0.0.0", 4010, { reuseAddress: true })).toBe(false);
});

testNeeding(WITH_SS, "several causes at once: what has no end comes first, and one command ends them", async () => {
  const listener = sockets.listener("0.0.0.0", { port: 4020 });
  const [waits, leaks] = [sockets.pair(listener, "127.0.0.1"), sockets.pair(listener, "127.0.0.1")];
  listener.close();
  waits.server.close();
  waits.client.close();
  handOver([leaks.server]);
  leaks.client.close();
  await reaches(4020, "TIME-WAIT");
  await reaches(4020, "CLOSE-WAIT");
  const told = why(4020);
  expect(told.findings.map(({ cause, blocks }) => [cause, blocks])).toEqual([
    ["close-wait", true],
    ["time-wait", true],
  ]);
  expect([told.freeAt, told.findings[0]!.endsAt]).toEqual([null, null]);
  expect(Date.parse(told.findings[1]!.endsAt!)).toBeGreaterThan(Date.now());
  apply(told.findings[0]!, /free 4020$/);
  await becomesFree(4020);
});
