/** What each option of `server` and `client` changes. Each test has a namespace of its own. */
import { connect } from "node:net";
import { once } from "node:events";
import { afterEach, beforeEach, expect } from "vitest";
import { enterNewNetworkNamespace } from "../../src/linux/namespace.ts";
import { endAll, start, startProgram, type Running } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { until } from "../support/until.ts";
import { linesOf, listJson, statesOf } from "./helpers.ts";

const NAMESPACE = ["a network namespace"] as const;

beforeEach(() => void enterNewNetworkNamespace());
afterEach(endAll);

async function startServer(...args: string[]): Promise<Running> {
  const server = startProgram("server", ...args);
  await server.says(/^listen .* ok$/m);
  return server;
}

testNeeding(NAMESPACE, "--replies: the server closes first, so TIME-WAIT stays on its port", async () => {
  const server = await startServer("--replies", "3", "--every", "1ms");
  const client = startProgram("client");
  await Promise.all([server.ended(), client.ended()]);
  await until("TIME-WAIT", () => statesOf(8000).includes("TIME-WAIT"));
  expect(listJson("8000").sockets).toMatchObject([
    { state: "TIME-WAIT", local: { port: 8000 }, owners: [], uid: null },
  ]);
});

testNeeding(NAMESPACE, "--replies 0 closes without a word", async () => {
  const server = await startServer("--replies", "0");
  expect((await startProgram("client").ended()).stdout).toMatch(/^write .*\nserver closed\nclose ok\n$/m);
  expect((await server.ended()).stdout).toMatch(/\nclient said: I am client\nclose ok\n$/);
});

testNeeding(NAMESPACE, "--every: the server waits between two messages, and tells each of them", async () => {
  const server = await startServer("--replies", "4", "--every", "200ms");
  const since = performance.now();
  const client = startProgram("client");
  const { stdout } = await server.ended();
  expect(performance.now() - since).toBeGreaterThan(600);
  expect(linesOf(stdout).filter((line) => line === "write 20 bytes: I am server")).toHaveLength(4);
  await client.ended();
});

testNeeding(NAMESPACE, "server --half-close: waits in FIN-WAIT-2 for the client to close", async () => {
  const server = await startServer("--replies", "1", "--half-close");
  const client = startProgram("client", "--no-close");
  await client.says(/^server closed$/m);
  await server.says(/^shutdown SHUT_WR ok$/m);
  const held = () => listJson("8000", "FIN_WAIT2").sockets[0];
  await until("FIN-WAIT-2", held);
  expect(held()?.owners[0]?.pid).toBe(server.pid);
  await client.end("SIGTERM");
  const { stdout, status } = await server.ended();
  expect(stdout).toMatch(/\nshutdown SHUT_WR ok\nthe client closed\nclose ok\n$/);
  expect(status).toBe(0);
});

testNeeding(NAMESPACE, "client --half-close: closes its direction, and goes on reading", async () => {
  await startServer("--every", "20ms");
  const client = startProgram("client", "--half-close");
  await client.says(/^shutdown SHUT_WR ok\nserver said: I am server$/m);
  const states = () =>
    listJson("8000")
      .sockets.filter(({ state }) => state !== "LISTEN")
      .map(({ state, local }) => `${local.port === 8000 ? "server" : "client"} ${state}`)
      .sort()
      .join(", ");
  await until("the client in FIN-WAIT-2", () => states() === "client FIN-WAIT-2, server CLOSE-WAIT");
});

testNeeding(NAMESPACE, "server --linger 0: closing sends a RST, and the client's read fails", async () => {
  const server = await startServer("--replies", "1", "--linger", "0");
  const { stdout, stderr, status } = await startProgram("client").ended();
  expect(stdout).not.toContain("server closed");
  expect(linesOf(stderr)).toEqual([
    "read ECONNRESET (104): connection reset by peer",
    "To see the connection: lastack ls 8000",
  ]);
  expect(status).toBe(1);
  const { stdout: told } = await server.ended();
  expect(told).toMatch(/\nsetsockopt SO_LINGER on, 0 s ok\nbind /);
  expect(told).toMatch(/\nclose ok\n$/);
  expect(statesOf(8000)).toEqual([]);
});

testNeeding(NAMESPACE, "client --linger 0: its RST leaves the server no TIME-WAIT", async () => {
  const server = await startServer("--replies", "1");
  const client = await startProgram("client", "--linger", "0").ended();
  expect(linesOf(client.stdout).slice(1)).toContain("setsockopt SO_LINGER on, 0 s ok");
  await server.ended();
  await until("the end of the server's socket", () =>
    listJson("8000").sockets.every(({ state }) => state === "TIME-WAIT"),
  );
  expect(listJson("8000").sockets).toEqual([]);
});

testNeeding(NAMESPACE, "--reuse-port: two servers share one port, a third without it may not", async () => {
  const servers = [await startServer("--reuse-port"), await startServer("--reuse-port")];
  expect(servers[0]!.stdout).toContain("\nsetsockopt SO_REUSEPORT 1 ok\nbind ");
  expect(statesOf(8000)).toEqual(["LISTEN", "LISTEN"]);
  const third = await startProgram("server").ended();
  expect(third.stderr).toContain("EADDRINUSE (98)");
  for (const { pid } of servers) expect(third.stderr).toContain(`(${pid},fd=`);
});

testNeeding(NAMESPACE, "the server on :: takes IPv4 too, and with --ipv6-only it does not", async () => {
  const both = await startServer("--address", "::", "--replies", "1");
  expect(listJson("8000").sockets).toMatchObject([{ protocol: "tcp46", local: { address: "*", port: 8000 } }]);
  expect((await startProgram("client").ended()).status).toBe(0);
  expect((await both.ended()).stdout).toContain("accept [::ffff:127.0.0.1]:");

  enterNewNetworkNamespace();
  const only = await startServer("-a", "::", "--ipv6-only");
  expect(only.stdout).toContain("\nsetsockopt IPV6_V6ONLY 1 ok\nbind [::]:8000 ok\n");
  expect(listJson("8000").sockets).toMatchObject([{ protocol: "tcp6", v6only: true, local: { address: "::" } }]);
  expect((await startProgram("client").ended()).stderr).toContain("ECONNREFUSED (111)");
  await startServer("0.0.0.0:8000"); // both families side by side
});

testNeeding(NAMESPACE, "--address ::1: the whole conversation over IPv6", async () => {
  const server = await startServer("--address", "::1", "--port", "3000", "--replies", "1");
  const client = await startProgram("client", "[::1]:3000").ended();
  expect(client.stdout).toMatch(/^socket AF_INET6 .*\nconnect \[::1\]:3000 ok\nconnected from \[::1\]:\d+\n/);
  expect((await server.ended()).stdout).toMatch(/^socket AF_INET6 SOCK_STREAM ok\nbind \[::1\]:3000 ok\n/);
});

testNeeding(NAMESPACE, "--backlog is the limit of the listener's queue", async () => {
  await startServer("--backlog", "7");
  expect(listJson("8000").sockets).toMatchObject([{ state: "LISTEN", sendQueue: 7, receiveQueue: 0 }]);
});

testNeeding(NAMESPACE, "--message: both say what they are told to, up to 19 bytes", async () => {
  const server = await startServer("--message", "nineteen bytes fit.", "--replies", "1");
  const client = await startProgram("client", "--message", "grüß dich").ended();
  expect(client.stdout).toContain("\nserver said: nineteen bytes fit.\n");
  expect((await server.ended()).stdout).toContain("\nclient said: grüß dich\n");
});

testNeeding(NAMESPACE, "what a peer says reaches the terminal only with its control characters escaped", async () => {
  const server = await startServer("--replies", "1");
  const socket = connect(8000, "127.0.0.1").resume();
  socket.write("\u001b[31m\nsaid \u202e\\");
  await once(socket, "close");
  expect((await server.ended()).stdout).toContain("\nclient said: \\x1b[31m\\nsaid \\u202e\\\\\n");
});

testNeeding(NAMESPACE, "client --sleep waits before each read", async () => {
  await startServer("--replies", "1");
  const since = performance.now();
  await startProgram("client", "--sleep", "500ms").says(/^server closed$/m);
  // Two reads: of the message, and of the end.
  expect(performance.now() - since).toBeGreaterThan(1000);
});

testNeeding(
  NAMESPACE,
  "client --no-read: both buffers fill, the server says that its write blocks, and goes on never",
  async () => {
    const server = await startServer();
    await startProgram("client", "--no-read").says(/^reads nothing, until it is ended$/m);
    await server.says(/^write blocks after \d+ messages: the client does not read$/m);
    const { sockets } = listJson("8000", "established");
    const ofServer = sockets.find(({ local }) => local.port === 8000)!;
    const ofClient = sockets.find(({ peer }) => peer.port === 8000)!;
    expect(ofServer.sendQueue).toBeGreaterThan(10_000);
    expect(ofClient.receiveQueue).toBeGreaterThan(10_000);
    expect(server.stdout).not.toContain("write goes on");
  },
);

testNeeding(NAMESPACE, "client --no-close: CLOSE-WAIT here, FIN-WAIT-2 of nobody there", async () => {
  const server = await startServer("--every", "10ms");
  const client = startProgram("client", "--no-close");
  await client.says(/^server said/m);
  await server.end("SIGKILL");
  await client.says(/^server closed\ndoes not close, until it is ended: CLOSE-WAIT$/m);
  await until("FIN-WAIT-2", () => statesOf(8000).includes("FIN-WAIT-2"));
  const bySide = listJson("8000").sockets.sort((a, b) => a.state.localeCompare(b.state));
  expect(bySide).toMatchObject([
    { state: "CLOSE-WAIT", peer: { port: 8000 }, owners: [{ pid: client.pid }] },
    { state: "FIN-WAIT-2", local: { port: 8000 }, owners: [] },
  ]);
});

testNeeding(
  NAMESPACE,
  "a killed server whose client never reads stays in FIN-WAIT-1, with what it could not send",
  async () => {
    const server = await startServer();
    const client = startProgram("client", "--no-read");
    await server.says(/^write blocks/m);
    await server.end("SIGKILL");
    const left = listJson("8000").sockets.filter(({ local }) => local.port === 8000);
    expect(left).toMatchObject([{ state: "FIN-WAIT-1", owners: [] }]);
    expect(left[0]!.sendQueue).toBeGreaterThan(10_000);
    await client.end("SIGKILL");
  },
);

testNeeding(NAMESPACE, "client --from binds before it connects", async () => {
  const server = await startServer("--replies", "1");
  const client = await startProgram("client", "--from", "127.0.0.2:4000").ended();
  expect(client.stdout).toMatch(
    /^socket .*\nbind 127\.0\.0\.2:4000 ok\nconnect .*\nconnected from 127\.0\.0\.2:4000\n/,
  );
  expect((await server.ended()).stdout).toContain("\naccept 127.0.0.2:4000\n");
});

/** A server stopped by Ctrl-C while its client is connected: TIME-WAIT stays. */
async function stoppedServer(...args: string[]): Promise<void> {
  const server = await startServer(...args);
  const client = startProgram("client");
  await client.says(/^server said/m);
  await server.end("SIGINT");
  expect(await client.ended()).toMatchObject({ status: 0, stderr: "" });
  await until("TIME-WAIT", () => statesOf(8000).includes("TIME-WAIT"));
}

testNeeding(
  NAMESPACE,
  "a server restarted at once: EADDRINUSE, and the connection in TIME-WAIT that is the reason",
  async () => {
    await stoppedServer();
    const { stdout, stderr, status } = await start(["server"]).ended();
    expect(linesOf(stdout)).toEqual(["socket AF_INET SOCK_STREAM ok"]);
    expect(linesOf(stderr)).toEqual([
      "bind 0.0.0.0:8000 EADDRINUSE (98): address already in use",
      "The kernel holds on port 8000:",
      expect.stringMatching(/^Proto Recv-Q Send-Q Local +Peer +State +Timer +User +Owner$/),
      expect.stringMatching(/^tcp4 +0 +0 127\.0\.0\.1:8000 +127\.0\.0\.1:\d+ +TIME-WAIT +timewait:5\d\.\ds +- +-$/),
    ]);
    expect(status).toBe(1);
  },
);

testNeeding(NAMESPACE, "--reuse-address on the old server and the new one lets the new one start at once", async () => {
  await stoppedServer("--reuse-address");
  const second = await startServer("--reuse-address");
  expect(second.stdout).toContain("\nsetsockopt SO_REUSEADDR 1 ok\nbind 0.0.0.0:8000 ok\n");
});

testNeeding(
  NAMESPACE,
  "--reuse-address on the new server alone does not help: the old one must have set it too",
  async () => {
    await stoppedServer();
    const { stderr, status } = await start(["server", "--reuse-address"]).ended();
    expect(stderr).toContain("EADDRINUSE (98)");
    expect(stderr).toContain("TIME-WAIT");
    expect(status).toBe(1);
  },
);
