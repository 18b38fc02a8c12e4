/** Connections between two modelled hosts, from socket to CLOSED. */
import { expect, test } from "vitest";
import { ACK, FIN, RST } from "../../src/codec/tcp.ts";
import { HostPair, PORT, SERVER } from "./pair.ts";

const S = 1_000_000;

test("a connection is made, carries data both ways, and ends in TIME-WAIT and CLOSED", () => {
  const pair = new HostPair();
  const { here, there } = pair.connected();
  expect(pair.states(pair.client)).toEqual(["ESTABLISHED"]);
  expect(pair.states(pair.server)).toEqual(["LISTEN", "ESTABLISHED"]);
  pair.must("client", { name: "write", fd: here, data: "ping" });
  expect(pair.call("server", { name: "read", fd: there, length: 100 })).toMatchObject({ value: 4 });
  pair.must("server", { name: "write", fd: there, data: "pong!" });
  expect(pair.call("client", { name: "read", fd: here, length: 3 })).toMatchObject({ value: 3 });
  expect(pair.call("client", { name: "read", fd: here, length: 100 })).toMatchObject({ value: 2 });
  pair.must("client", { name: "close", fd: here });
  expect(pair.must("server", { name: "read", fd: there, length: 100 })).toBe(0);
  pair.must("server", { name: "close", fd: there });
  expect(pair.states(pair.client)).toEqual(["TIME-WAIT"]);
  expect(pair.states(pair.server)).toEqual(["LISTEN"]);
  pair.pass(60 * S);
  expect(pair.states(pair.client)).toEqual([]);
  expect(pair.client.sockets.size).toBe(0);
  expect(pair.client.ports.sockets.size).toBe(0);
});

test("nobody listens: connect is refused, and the socket can be used again", () => {
  const pair = new HostPair();
  const fd = pair.must("client", { name: "socket", family: "IPv4" });
  const connect = { name: "connect", fd, address: SERVER, port: PORT } as const;
  expect(pair.call("client", connect)).toMatchObject({ code: "ECONNREFUSED" });
  pair.listen();
  expect(pair.call("client", connect)).toMatchObject({ ok: true });
});

test("nobody answers: connect blocks, and ends after the last SYN", () => {
  const pair = new HostPair();
  pair.drops = () => true;
  const fd = pair.must("client", { name: "socket", family: "IPv4" });
  expect(pair.call("client", { name: "connect", fd, address: SERVER, port: PORT })).toBeUndefined();
  pair.pass(300 * S);
  expect(pair.returned.get("client")).toMatchObject({ code: "ETIMEDOUT" });
});

test("accept blocks until somebody comes, read until there are data", () => {
  const pair = new HostPair();
  const listener = pair.listen();
  expect(pair.call("server", { name: "accept", fd: listener })).toBeUndefined();
  const here = pair.connect();
  expect(pair.returned.get("server")).toMatchObject({ ok: true, value: 4 });
  expect(pair.call("server", { name: "read", fd: 4, length: 10 })).toBeUndefined();
  pair.must("client", { name: "write", fd: here, data: "x" });
  expect(pair.returned.get("server")).toMatchObject({ ok: true, value: 1 });
});

test("write blocks while neither buffer has room, and returns when all is taken", () => {
  const pair = new HostPair();
  const { here, there } = pair.connected();
  const length = 6_000_000;
  expect(pair.call("client", { name: "write", fd: here, data: { repeat: "abc", length } })).toBeUndefined();
  let got = 0;
  while (got < length) {
    const result = pair.call("server", { name: "read", fd: there, length: 100_000 });
    if (!result) {
      pair.pass(1000);
      continue;
    }
    if (!result.ok || result.value === 0) throw new Error("the stream ends early");
    expect(result.bytes![0]).toBe("abc".charCodeAt(got % 3));
    got += result.value;
  }
  pair.pass(S);
  expect(got).toBe(length);
  expect(pair.returned.get("client")).toMatchObject({ ok: true, value: length });
});

test("the backlog is full: no answer until there is room", () => {
  const pair = new HostPair();
  const listener = pair.listen("server", 0);
  pair.connect();
  const fd = pair.must("client", { name: "socket", family: "IPv4" });
  expect(pair.call("client", { name: "connect", fd, address: SERVER, port: PORT })).toBeUndefined();
  expect(pair.server.counters.ListenOverflows).toBe(1);
  pair.must("server", { name: "accept", fd: listener });
  pair.pass(2 * S);
  expect(pair.returned.get("client")).toMatchObject({ ok: true });
});

test("a process ends: each connection is closed, unread data are told by a RST", () => {
  const pair = new HostPair();
  const { here, there } = pair.connected();
  pair.must("client", { name: "write", fd: here, data: "nobody reads this" });
  pair.end("server");
  expect(pair.sent.at(-1)!.segment.flags).toBe(RST | ACK);
  expect(pair.states(pair.server)).toEqual([]);
  expect(pair.call("client", { name: "read", fd: here, length: 1 })).toMatchObject({ code: "ECONNRESET" });
  expect(pair.call("client", { name: "read", fd: here, length: 1 })).toMatchObject({ value: 0 });
  expect(pair.call("client", { name: "write", fd: here, data: "?" })).toMatchObject({ code: "EPIPE" });
  expect(there).toBe(4);
});

test("fork: the connection ends with its last descriptor", () => {
  const pair = new HostPair();
  const { there, listener } = pair.connected();
  pair.must("server", { name: "fork", child: "child" });
  pair.end("server");
  expect(pair.states(pair.server)).toEqual(["LISTEN", "ESTABLISHED"]);
  pair.must("child", { name: "close", fd: listener });
  expect(pair.states(pair.server)).toEqual(["ESTABLISHED"]);
  const before = pair.sent.length;
  pair.must("child", { name: "close", fd: there });
  expect(pair.sent[before]!.segment.flags).toBe(FIN | ACK);
});

test("an orphan in FIN-WAIT-2 has tcp_fin_timeout, one with a descriptor has no timer", () => {
  const pair = new HostPair();
  const { there } = pair.connected();
  pair.must("server", { name: "shutdown", fd: there, how: "write" });
  pair.pass(S);
  expect(pair.socketIn(pair.server, "FIN-WAIT-2").timer).toBeNull();
  pair.must("server", { name: "close", fd: there });
  expect(pair.socketIn(pair.server, "FIN-WAIT-2").timer).toEqual({ kind: "timewait", atUs: pair.nowUs + 60 * S });
  pair.pass(60 * S);
  expect(pair.states(pair.server)).toEqual(["LISTEN"]);
});

test("close lingers until the FIN is acknowledged, or the time is over", () => {
  const pair = new HostPair();
  const { here } = pair.connected();
  pair.must("client", { name: "setsockopt", fd: here, option: "SO_LINGER", value: 3 });
  pair.drops = ({ destination }) => destination === SERVER;
  expect(pair.call("client", { name: "close", fd: here })).toBeUndefined();
  pair.pass(2 * S);
  expect(pair.returned.has("client")).toBe(false);
  pair.pass(S);
  expect(pair.returned.get("client")).toMatchObject({ ok: true });
});

test("a host talks to itself over loopback", () => {
  const pair = new HostPair();
  const listener = pair.listen();
  const fd = pair.must("server", { name: "socket", family: "IPv4" });
  pair.must("server", { name: "connect", fd, address: "127.0.0.1", port: PORT });
  const there = pair.must("server", { name: "accept", fd: listener });
  pair.must("server", { name: "write", fd, data: "hello" });
  expect(pair.must("server", { name: "read", fd: there, length: 10 })).toBe(5);
  expect(pair.sent).toEqual([]);
});

test("TIME-WAIT goes on, and answers, while its socket is bound anew", () => {
  const pair = new HostPair();
  const { here, there } = pair.connected();
  pair.must("client", { name: "shutdown", fd: here, how: "write" });
  pair.must("server", { name: "close", fd: there });
  expect(pair.states(pair.client)).toEqual(["TIME-WAIT"]);
  const { local } = pair.socketIn(pair.client, "TIME-WAIT");
  pair.must("client", { name: "bind", fd: here, address: "0.0.0.0", port: 7000 });
  expect(pair.socketIn(pair.client, "TIME-WAIT").local).toEqual(local);
  const name = pair.call("client", { name: "getsockname", fd: here });
  expect(name).toMatchObject({ endpoint: { address: "0.0.0.0", port: 7000 } });
  pair.must("client", { name: "close", fd: here });
  expect(pair.states(pair.client)).toEqual(["TIME-WAIT"]);
  pair.pass(60 * S);
  expect(pair.client.ports.sockets.size).toBe(0);
});

test("SO_LINGER with 0 seconds is no business of a TIME-WAIT", () => {
  const pair = new HostPair();
  const { here, there } = pair.connected();
  pair.must("client", { name: "shutdown", fd: here, how: "write" });
  pair.must("server", { name: "close", fd: there });
  pair.must("client", { name: "setsockopt", fd: here, option: "SO_LINGER", value: 0 });
  pair.must("client", { name: "close", fd: here });
  expect(pair.states(pair.client)).toEqual(["TIME-WAIT"]);
});

test("a port that is chosen is behind the last that was chosen, whatever listens in between", () => {
  const pair = new HostPair();
  pair.listen();
  const portOf = (fd: number) => {
    const result = pair.call("client", { name: "getsockname", fd });
    return result?.ok ? result.endpoint!.port : undefined;
  };
  const first = portOf(pair.connect())!;
  pair.listen("client");
  expect(portOf(pair.connect())).toBe(first + 1);
});
