/** `listen`: it waits out what ends by itself, takes the next port if asked, and tells by events. */
import { EventEmitter } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server } from "node:net";
import { afterEach, beforeEach, expect } from "vitest";
import { listen, type Listening } from "../../src/node/index.ts";
import { handOver, sockets } from "../diagnose/situation.ts";
import { endAll } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { enterNamespace } from "../support/tcp.ts";
import { orphan } from "./situations.ts";

const NAMESPACE = ["a network namespace"] as const;
const servers: Server[] = [];

beforeEach(() => enterNamespace());
afterEach(async () => {
  for (const server of servers.splice(0)) if (server.listening) await new Promise((resolve) => server.close(resolve));
  sockets.close();
  await endAll();
});

/** A server that counts the errors it hears of. */
function newServer(make: () => Server = createServer): { server: Server; errors: unknown[] } {
  const server = make();
  const errors: unknown[] = [];
  server.on("error", (error) => errors.push(error));
  servers.push(server);
  return { server, errors };
}

/** The names and ports of the events so far. */
function eventsOf(listening: Listening): string[] {
  const events: string[] = [];
  listening.on("taken", ({ port, answer }) => events.push(`taken ${port} ${answer}`));
  listening.on("waiting", ({ port, freeAtMs }) => events.push(`waiting ${port} ${freeAtMs !== undefined}`));
  listening.on("next", (port) => events.push(`next ${port}`));
  return events;
}

function expectAsBefore({ server, errors }: { server: Server; errors: unknown[] }): void {
  expect(errors).toEqual([]);
  expect(Object.hasOwn(server, "emit")).toBe(false);
}

testNeeding(NAMESPACE, "a free port: as listen itself", async () => {
  const one = newServer(createHttpServer);
  const listening = listen(one.server, { port: 6000, host: "127.0.0.1" });
  expect(listening).toBeInstanceOf(EventEmitter);
  const events = eventsOf(listening);
  expect(await listening.ready).toEqual({ address: "127.0.0.1", family: "IPv4", port: 6000 });
  expect(events).toEqual([]);
  expectAsBefore(one);
});

testNeeding(NAMESPACE, "the next port, and the next", async () => {
  for (const port of [6000, 6001]) handOver([sockets.listener("0.0.0.0", { port })]);
  const one = newServer();
  const listening = listen(one.server, { port: 6000, next: true });
  const events = eventsOf(listening);
  expect((await listening.ready).port).toBe(6002);
  expect(events).toEqual(["taken 6000 blocked", "next 6001", "taken 6001 blocked", "next 6002"]);
  expectAsBefore(one);
});

testNeeding(NAMESPACE, "not more ports than asked: listen's own error, with all that is known", async () => {
  const holders = [6000, 6001].map((port) => handOver([sockets.listener("0.0.0.0", { port })]));
  const one = newServer();
  const error: unknown = await listen(one.server, { port: 6000, next: 1 }).ready.catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "EADDRINUSE", syscall: "listen", port: 6001 });
  expect((error as NodeJS.ErrnoException).lastack).toMatchObject({ processes: [{ pid: holders[1]!.pid }] });
  expect(Object.keys(error as object)).not.toContain("lastack");
  expectAsBefore(one);
});

testNeeding(NAMESPACE, "it waits out what a server without SO_REUSEADDR has left", async () => {
  await orphan(6000);
  const one = newServer();
  const listening = listen(one.server, { port: 6000, wait: true });
  const events = eventsOf(listening);
  expect((await listening.ready).port).toBe(6000);
  expect(events.slice(0, 2)).toEqual(["taken 6000 blocked", "waiting 6000 true"]);
  expectAsBefore(one);
});

testNeeding(NAMESPACE, "it does not wait for a listener, nor longer than asked", async () => {
  handOver([sockets.listener("0.0.0.0", { port: 6000 })]);
  await orphan(6001);
  const one = newServer();
  const listening = listen(one.server, { port: 6000, wait: 10, next: true });
  const events = eventsOf(listening);
  expect((await listening.ready).port).toBe(6002);
  expect(events).toEqual(["taken 6000 blocked", "next 6001", "taken 6001 blocked", "next 6002"]);
  expectAsBefore(one);
});

testNeeding(NAMESPACE, "an abort ends the wait", async () => {
  await orphan(6000);
  const reason = new Error("enough");
  const abort = new AbortController();
  const one = newServer();
  const listening = listen(one.server, { port: 6000, wait: true, signal: abort.signal });
  listening.on("waiting", () => abort.abort(reason));
  await expect(listening.ready).rejects.toBe(reason);
  expectAsBefore(one);
});

testNeeding(NAMESPACE, "other errors, and what listen throws, are passed on", async () => {
  const one = newServer();
  await expect(
    listen(one.server, { port: 6000, host: "198.51.100.1", next: true, wait: true }).ready,
  ).rejects.toMatchObject({ code: "EADDRNOTAVAIL" });
  await expect(listen(one.server, { port: 70_000 }).ready).rejects.toMatchObject({ code: "ERR_SOCKET_BAD_PORT" });
  expectAsBefore(one);
});
