/** The tutorial's programs: what they say and send, and how they end. Each test has a namespace of its own. */
import { createServer, connect, type Socket } from "node:net";
import { once } from "node:events";
import { afterEach, beforeEach, expect } from "vitest";
import { enterNewNetworkNamespace } from "../../src/linux/namespace.ts";
import { CLI, endAll, Running, start, startProgram } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { until } from "../support/until.ts";
import { compile, linesOf, listJson, makeDirectory, removeDirectory, statesOf } from "./helpers.ts";

const NAMESPACE = ["a network namespace"] as const;

beforeEach(() => void enterNewNetworkNamespace());
afterEach(endAll);

const padded = (text: string) => Buffer.concat([Buffer.from(text), Buffer.alloc(20 - text.length)]);

async function startServer(...args: string[]): Promise<Running> {
  const server = startProgram("server", ...args);
  await server.says(/^listen .* ok$/m);
  return server;
}

/** All bytes that a plain socket gets until the peer closes. */
async function receiveAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(socket, "close");
  return Buffer.concat(chunks);
}

testNeeding(NAMESPACE, "server and client tell each step of a whole conversation in order", async () => {
  const server = await startServer("--replies", "1");
  const client = await startProgram("client").ended();
  const { stdout, stderr, status } = await server.ended();
  const port = /^connected from 127\.0\.0\.1:(\d+)$/m.exec(client.stdout)?.[1];
  expect(linesOf(stdout)).toEqual([
    "socket AF_INET SOCK_STREAM ok",
    "bind 0.0.0.0:8000 ok",
    "listen backlog 20 ok",
    `accept 127.0.0.1:${port}`,
    "read 20 bytes",
    "client said: I am client",
    "write 20 bytes: I am server",
    "close ok",
  ]);
  expect(linesOf(client.stdout)).toEqual([
    "socket AF_INET SOCK_STREAM ok",
    "connect 127.0.0.1:8000 ok",
    `connected from 127.0.0.1:${port}`,
    "write 20 bytes: I am client ok",
    "server said: I am server",
    "server closed",
    "close ok",
  ]);
  expect([stderr, status, client.stderr, client.status]).toEqual(["", 0, "", 0]);
});

testNeeding(NAMESPACE, "the server writes messages of exactly 20 bytes, the text and NULs", async () => {
  const server = await startServer("--replies", "2");
  const socket = connect(8000, "127.0.0.1");
  socket.write(padded("hello"));
  expect(await receiveAll(socket)).toEqual(Buffer.concat([padded("I am server"), padded("I am server")]));
  expect((await server.ended()).stdout).toContain("\nread 20 bytes\nclient said: hello\n");
});

testNeeding(NAMESPACE, "the client writes one message of exactly 20 bytes, the text and NULs", async () => {
  const plain = createServer({ allowHalfOpen: true }).listen(8000, "127.0.0.1");
  await once(plain, "listening");
  const client = startProgram("client", "--half-close");
  const [socket] = (await once(plain, "connection")) as [Socket];
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(socket, "end");
  expect(Buffer.concat(chunks)).toEqual(padded("I am client"));
  socket.end(padded("and I am not"));
  plain.close();
  expect((await client.ended()).stdout).toContain("\nserver said: and I am not\nserver closed\nclose ok\n");
});

testNeeding(NAMESPACE, "a client that closes without a word is told as such", async () => {
  const server = await startServer();
  connect(8000, "127.0.0.1").end();
  const { stdout, status } = await server.ended();
  expect(stdout).toMatch(/\nread 0 bytes\nthe client closed without a word\n$/);
  expect(status).toBe(0);
});

testNeeding(NAMESPACE, "the flood of a server without options is told once a second, with its count", async () => {
  await startServer();
  const client = startProgram("client");
  const [, count, bytes] = await client.says(
    /^server said: I am server {2}\((\d+) times more in [\d.]+ s, (\d+) bytes/m,
  );
  expect(Number(count)).toBeGreaterThan(1);
  expect(Math.abs(Number(bytes) - 20 * Number(count))).toBeLessThan(20);
});

testNeeding(NAMESPACE, "a write that blocked goes on, and says so, when the client reads again", async () => {
  const server = await startServer();
  const socket = connect(8000, "127.0.0.1").pause();
  socket.write(padded("I read later"));
  await server.says(/^write blocks after \d+ messages: the client does not read$/m);
  socket.resume();
  await server.says(/^write goes on after \d+\.\d s$/m);
  socket.destroy();
});

const C_COMPILER = ["a network namespace", "a C compiler"] as const;
testNeeding(C_COMPILER, "the tutorial's own C programs talk to ours and to each other", async () => {
  const directory = makeDirectory();
  try {
    const server = [compile("article-server", `${directory}/article-server`)];
    const client = [compile("article-client", `${directory}/article-client`)];
    await ourServerWithArticleClient(client);
    enterNewNetworkNamespace();
    await articleServerWithOurClient(server);
    enterNewNetworkNamespace();
    await articleServerWithArticleClient(server, client);
  } finally {
    await endAll();
    removeDirectory(directory);
  }
});

async function ourServerWithArticleClient(article: string[]): Promise<void> {
  const server = await startServer("--replies", "1");
  const client = await new Running(article).ended();
  // The tutorial returns -1 from main when the server has closed.
  expect(client).toEqual({
    stdout: "发送成功\nserver said:I am server\n服务器关闭\n",
    stderr: "",
    status: 255,
    signal: null,
  });
  expect((await server.ended()).stdout).toContain("\nread 20 bytes\nclient said: I am client\n");
}

async function articleServerWithOurClient(article: string[]): Promise<void> {
  const server = new Running(article);
  await server.says(/^绑定端口成功$/m);
  const client = startProgram("client");
  // Its slip: what it prints is its own reply.
  await server.says(/^连接成功\nreadLen:20\nclient said:I am server$/m);
  await client.says(/^server said: I am server$/m);
  await server.end("SIGINT");
  const { stdout, status } = await client.ended();
  expect(stdout).toMatch(/^server closed\nclose ok\n$/m);
  expect(status).toBe(0);
}

/** The tutorial's story in its own words: 98 here is its 48. */
async function articleServerWithArticleClient(articleServer: string[], articleClient: string[]): Promise<void> {
  const server = new Running(articleServer);
  await server.says(/^绑定端口成功$/m);
  const client = new Running(articleClient);
  await client.says(/^server said:I am server$/m);
  await server.end("SIGINT");
  expect((await client.ended()).stdout).toMatch(/^服务器关闭\n$/m);
  await until("TIME-WAIT", () => statesOf(8000).includes("TIME-WAIT"));
  const second = await new Running(articleServer).ended();
  expect(second).toMatchObject({ stdout: "绑定端口失败,errno = 98\n", status: 255 });
  const ours = await start(["server"]).ended();
  expect(ours.stderr).toContain("EADDRINUSE (98)");
}

testNeeding(NAMESPACE, "the client dies of SIGKILL: the server says EPIPE, and dies of SIGPIPE", async () => {
  const server = await startServer("--every", "10ms");
  const client = startProgram("client");
  await client.says(/^server said/m);
  await client.end("SIGKILL");
  const { stdout, status, signal } = await server.ended();
  expect(stdout).toMatch(
    /\nwrite EPIPE \(32\)\nthe client has gone: this program dies of SIGPIPE, as a C program does\n$/,
  );
  expect([status, signal]).toEqual([null, "SIGPIPE"]);
});

testNeeding(NAMESPACE, "with --ignore-sigpipe the server shows EPIPE and ends with status 1", async () => {
  const server = await startServer("--every", "10ms", "--ignore-sigpipe");
  const client = startProgram("client");
  await client.says(/^server said/m);
  await client.end("SIGKILL");
  const { stdout, status } = await server.ended();
  expect(stdout).toMatch(/\nwrite EPIPE \(32\)\n$/);
  expect(status).toBe(1);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  testNeeding(NAMESPACE, `${signal} ends at once a server that waits in accept`, async () => {
    const server = await startServer();
    expect(await server.end(signal)).toMatchObject({ status: null, signal });
  });

  testNeeding(
    NAMESPACE,
    `${signal} ends at once a server whose write blocks, and a client that reads nothing`,
    async () => {
      const server = await startServer();
      const client = startProgram("client", "--no-read");
      await server.says(/^write blocks after \d+ messages: the client does not read$/m);
      expect(await server.end(signal)).toMatchObject({ status: null, signal });
      expect(await client.end(signal)).toMatchObject({ status: null, signal });
    },
  );

  testNeeding(NAMESPACE, `${signal} ends at once a client that waits in read`, async () => {
    const silent = createServer().listen(8000, "127.0.0.1");
    await once(silent, "listening");
    const client = startProgram("client");
    await client.says(/^write 20 bytes: I am client ok$/m);
    expect(await client.end(signal)).toMatchObject({ status: null, signal });
    silent.close();
  });
}

testNeeding(NAMESPACE, "--die-with-parent: the server goes when the process that started it is killed", async () => {
  const shell = new Running([
    "sh",
    "-c",
    '"$@" & echo "pid $!"; wait',
    "sh",
    process.execPath,
    CLI,
    "server",
    "--die-with-parent",
  ]);
  const pid = Number((await shell.says(/^pid (\d+)$/m))[1]);
  await shell.says(/^listen .* ok$/m);
  expect(listJson("8000").sockets[0]?.owners[0]?.pid).toBe(pid);
  await shell.end("SIGKILL");
  await until("the end of the listener", () => listJson("8000").sockets.length === 0);
});

testNeeding(NAMESPACE, "without --die-with-parent the server outlives the process that started it", async () => {
  const shell = new Running(["sh", "-c", '"$@" & echo "pid $!"; wait', "sh", process.execPath, CLI, "server"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const pid = Number((await shell.says(/^pid (\d+)$/m))[1]);
  await shell.says(/^listen .* ok$/m);
  try {
    shell.child.kill("SIGKILL");
    await until("the shell's end", () => shell.child.signalCode !== null);
    expect(listJson("8000").sockets[0]?.owners[0]?.pid).toBe(pid);
  } finally {
    process.kill(pid, "SIGKILL");
  }
});
