/** Processes of the kernel world that are processes: they die, fork and change their user, and the kernel sees it. */
import { dirname } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import type { Call } from "../../../src/call/call.ts";
import { KernelWorld } from "../../../src/world/kernel/kernel-world.ts";
import { CLI } from "../../support/cli.ts";
import { testNeeding } from "../../support/needs.ts";
import { processesWith } from "../../cli/helpers.ts";

// A way to the script that no other test takes: those that run beside this one have children, too.
const childScript = `${dirname(CLI)}/./lab-process.cjs`;
const NEEDS = ["a network namespace"] as const;

let world: KernelWorld;
beforeEach(() => {
  world = new KernelWorld({ childScript });
  world.addHost({ name: "server" });
  world.startProcess({ name: "server", host: "server", mortal: true });
});
afterEach(async () => {
  world.close();
  await new Promise(setImmediate);
  expect(processesWith(childScript)).toEqual([]);
});

const make = (process: string, call: Call) => {
  const pending = world.begin(process, call);
  world.settle();
  return pending.result;
};
const listen = (process: string, port = 8000) => {
  expect(make(process, { name: "socket", family: "IPv4" })).toEqual({ ok: true, value: 3 });
  expect(make(process, { name: "bind", fd: 3, address: "0.0.0.0", port })).toMatchObject({ ok: true });
  expect(make(process, { name: "listen", fd: 3, backlog: 4 })).toMatchObject({ ok: true });
};
const states = () => world.recorder.socketsOf("server").map(({ state }) => state);

testNeeding(NEEDS, "descriptors are the lowest free numbers from 3, and a wrong one is EBADF", () => {
  listen("server");
  expect(make("server", { name: "socket", family: "IPv6" })).toEqual({ ok: true, value: 4 });
  expect(make("server", { name: "close", fd: 3 })).toEqual({ ok: true, value: 0 });
  expect(make("server", { name: "close", fd: 3 })).toEqual({ ok: false, errno: 9, code: "EBADF" });
  expect(make("server", { name: "socket", family: "IPv4" })).toEqual({ ok: true, value: 3 });
});

for (const by of ["exit", "return"] as const) {
  testNeeding(NEEDS, `a process that ends by ${by} leaves no socket, and its status`, () => {
    listen("server");
    expect(states()).toEqual(["LISTEN"]);
    make("server", { name: "exit", status: 5, by });
    expect([states(), world.endingOf("server")]).toEqual([[], { status: 5, signal: null }]);
  });
}

for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
  testNeeding(NEEDS, `a process that is sent ${signal} leaves no socket, and dies of it`, () => {
    listen("server");
    world.signal("server", signal);
    expect([states(), world.endingOf("server")]).toEqual([[], { status: null, signal }]);
  });
}

testNeeding(NEEDS, "a child has the same descriptors, and the sockets live as long as either", () => {
  listen("server");
  expect(make("server", { name: "fork", child: "child" })).toMatchObject({ ok: true });
  world.signal("server", "SIGKILL");
  expect(states()).toEqual(["LISTEN"]);
  expect(make("child", { name: "getsockname", fd: 3 })).toMatchObject({ endpoint: { address: "0.0.0.0", port: 8000 } });
  world.signal("child", "SIGKILL");
  expect(states()).toEqual([]);
});

testNeeding([...NEEDS, "a second uid"], "a process that changes its user makes sockets of that user", () => {
  make("server", { name: "setuid", uid: 65_534 });
  expect(make("server", { name: "socket", family: "IPv4" })).toMatchObject({ ok: true });
  expect(make("server", { name: "bind", fd: 3, address: "0.0.0.0", port: 80 })).toMatchObject({ code: "EACCES" });
});

testNeeding(NEEDS, "a call that blocks goes on when it can, and bytes come through whole", () => {
  listen("server");
  world.addHost({ name: "client" });
  world.startProcess({ name: "client", host: "client", mortal: true });
  const accepting = world.begin("server", { name: "accept", fd: 3 });
  expect(accepting.result).toBeUndefined();
  make("client", { name: "socket", family: "IPv4" });
  const server = world.recorder.hosts[0]!.addresses[0]!;
  expect(make("client", { name: "connect", fd: 3, address: server, port: 8000 })).toEqual({ ok: true, value: 0 });
  expect(accepting.result).toMatchObject({ ok: true, value: 4 });
  const data = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
  const sent = new TextEncoder().encode(data);
  expect(make("client", { name: "write", fd: 3, data })).toEqual({ ok: true, value: sent.length });
  expect(make("server", { name: "read", fd: 4, length: 1000 })).toEqual({ ok: true, value: sent.length, bytes: sent });
});
