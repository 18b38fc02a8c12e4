/** Hosts are copied and encoded: a copy goes its own way, and bytes tell what can still happen, nothing else. */
import { expect, test } from "vitest";
import type { Call } from "../../src/call/call.ts";
import {
  copyHost,
  handlePacket,
  handleTimeout,
  makeCall,
  pollTimeout,
  pollTransmit,
  resumeCalls,
  writeHost,
  type Host,
  type HostPacket,
} from "../../src/host/index.ts";
import { ByteWriter } from "../../src/tcp/index.ts";
import { generator, seed } from "../support/random.ts";
import { HostPair, PORT, SERVER } from "./pair.ts";

function bytesOf(host: Host, nowUs: number): string {
  const writer = new ByteWriter();
  writeHost(writer, host, nowUs);
  return Buffer.from(writer.take()).toString("hex");
}

/** One thing that happens to one of two hosts. */
type Action = { do: "call"; call: Call } | { do: "packet"; packet: HostPacket } | { do: "timeout"; afterUs: number };

/** Does it, and takes what is sent then. */
function act(host: Host, name: string, nowUs: number, action: Action): HostPacket[] {
  if (action.do === "call") makeCall(host, nowUs, name, action.call);
  else if (action.do === "packet") handlePacket(host, nowUs, action.packet);
  else handleTimeout(host, nowUs + action.afterUs);
  const sent: HostPacket[] = [];
  for (let packet; (packet = pollTransmit(host, nowUs));) sent.push(packet);
  resumeCalls(host, nowUs);
  return sent;
}

const CALLS: readonly Call[] = [
  { name: "socket", family: "IPv4" },
  { name: "bind", fd: 3, address: "0.0.0.0", port: PORT },
  { name: "listen", fd: 3, backlog: 1 },
  { name: "connect", fd: 3, address: SERVER, port: PORT },
  { name: "connect", fd: 4, address: SERVER, port: PORT },
  { name: "accept", fd: 3 },
  { name: "write", fd: 3, data: "abc" },
  { name: "write", fd: 4, data: "abc" },
  { name: "read", fd: 3, length: 2 },
  { name: "read", fd: 4, length: 2 },
  { name: "shutdown", fd: 4, how: "write" },
  { name: "setsockopt", fd: 3, option: "SO_LINGER", value: 0 },
  { name: "close", fd: 3 },
  { name: "close", fd: 4 },
];

test("a copy and its original do not know of each other", () => {
  const random = generator(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  for (let walk = 0; walk < 60; walk++) {
    const pair = new HostPair();
    const hosts: Record<string, Host> = { client: pair.client, server: pair.server };
    const wire: HostPacket[] = [];
    let nowUs = 0;
    const choose = (name: string, host: Host): Action => {
      const here = wire.filter(({ destination }) => (destination === SERVER) === (name === "server"));
      const dueUs = pollTimeout(host);
      if (here.length > 0 && random() < 0.5) return { do: "packet", packet: pick(here) };
      if (dueUs !== undefined && random() < 0.2) return { do: "timeout", afterUs: Math.max(0, dueUs - nowUs) };
      return { do: "call", call: pick(CALLS) };
    };
    for (let step = 0; step < 60; step++) {
      const name = random() < 0.5 ? "client" : "server";
      const host = hosts[name]!;
      const action = choose(name, host);
      const before = bytesOf(host, nowUs);
      const other = copyHost(host);
      expect(bytesOf(other, nowUs)).toBe(before);
      act(other, name, nowUs, choose(name, host));
      expect(bytesOf(host, nowUs)).toBe(before);
      const same = copyHost(host);
      const sent = act(host, name, nowUs, action);
      expect(act(same, name, nowUs, action)).toEqual(sent);
      if (action.do === "timeout") nowUs += action.afterUs;
      expect(bytesOf(same, nowUs)).toBe(bytesOf(host, nowUs));
      wire.push(...sent);
    }
  }
});

function story(startUs: number, before: (pair: HostPair) => void): string[] {
  const pair = new HostPair({ numbering: { by: "count", first: 1000, step: 0 }, connection: { timestamps: false } });
  pair.nowUs = startUs;
  before(pair);
  const { here, there } = pair.connected();
  pair.must("client", { name: "write", fd: here, data: "abc" });
  pair.must("server", { name: "close", fd: there });
  pair.pass(1_000_000);
  return [bytesOf(pair.client, pair.nowUs), bytesOf(pair.server, pair.nowUs)];
}

test("neither the time of day nor what has been closed long ago leaves a trace", () => {
  const plain = story(0, () => {});
  expect(story(123_456_789, () => {})).toEqual(plain);
  const busy = story(0, (pair) => {
    const fd = pair.must("client", { name: "socket", family: "IPv4" });
    pair.must("client", { name: "bind", fd, address: "0.0.0.0", port: 1 });
    pair.must("client", { name: "close", fd });
  });
  expect(busy).toEqual(plain);
});

test("what can still make a difference does", () => {
  const plain = story(0, () => {});
  const bound = story(0, (pair) => {
    pair.must("server", {
      name: "setsockopt",
      fd: pair.must("server", { name: "socket", family: "IPv4" }),
      option: "SO_REUSEADDR",
      value: 1,
    });
  });
  expect(bound[1]).not.toBe(plain[1]);
});
