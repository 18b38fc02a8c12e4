/** Hosts are copied and encoded: a copy goes its own way, and bytes tell what can still happen, nothing else. */
import { readFileSync } from "node:fs";
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
  type HostSettings,
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

type Name = "client" | "server";

/** Two hosts to which random things happen: calls, packets in any order and more than once, timeouts. */
class Walk {
  readonly hosts: Record<Name, Host>;
  readonly wire: HostPacket[] = [];
  nowUs = 0;

  constructor(
    readonly random: () => number,
    settings: Partial<HostSettings> = {},
  ) {
    const pair = new HostPair(settings);
    this.hosts = { client: pair.client, server: pair.server };
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.random() * list.length)]!;
  }

  choose(name: Name): Action {
    const here = this.wire.filter(({ destination }) => (destination === SERVER) === (name === "server"));
    const dueUs = pollTimeout(this.hosts[name]);
    if (here.length > 0 && this.random() < 0.5) return { do: "packet", packet: this.pick(here) };
    if (dueUs !== undefined && this.random() < 0.2) return { do: "timeout", afterUs: Math.max(0, dueUs - this.nowUs) };
    return { do: "call", call: this.pick(CALLS) };
  }

  take(name: Name, action: Action): HostPacket[] {
    const sent = act(this.hosts[name], name, this.nowUs, action);
    if (action.do === "timeout") this.nowUs += action.afterUs;
    this.wire.push(...sent);
    return sent;
  }
}

test("a copy and its original do not know of each other", () => {
  const random = generator(seed);
  for (let i = 0; i < 60; i++) {
    const walk = new Walk(random);
    for (let step = 0; step < 60; step++) {
      const name = walk.pick(["client", "server"] as const);
      const host = walk.hosts[name];
      const action = walk.choose(name);
      const { nowUs } = walk;
      const before = bytesOf(host, nowUs);
      const other = copyHost(host);
      expect(bytesOf(other, nowUs)).toBe(before);
      act(other, name, nowUs, walk.choose(name));
      expect(bytesOf(host, nowUs)).toBe(before);
      const same = copyHost(host);
      const sent = walk.take(name, action);
      expect(act(same, name, nowUs, action)).toEqual(sent);
      expect(bytesOf(same, walk.nowUs)).toBe(bytesOf(host, walk.nowUs));
    }
  }
});

test("hosts with the same bytes do the same, however they came to them", () => {
  const random = generator(seed);
  // Numbers and timestamps that follow from the time of day would keep every host apart from every other.
  const settings: Partial<HostSettings> = {
    numbering: { by: "count", first: 1000, step: 0 },
    connection: { timestamps: false },
  };
  const met = new Map<string, { host: Host; nowUs: number }>();
  let again = 0;
  for (let i = 0; i < 250; i++) {
    const walk = new Walk(random, settings);
    for (let step = 0; step < 40; step++) {
      const name = walk.pick(["client", "server"] as const);
      walk.take(name, walk.choose(name));
      const { nowUs } = walk;
      const host = walk.hosts[name];
      const key = `${name} ${bytesOf(host, nowUs)}`;
      const before = met.get(key);
      met.set(key, { host: copyHost(host), nowUs });
      if (!before) continue;
      again++;
      const [one, other] = [copyHost(host), copyHost(before.host)];
      const action = walk.choose(name);
      expect(act(one, name, nowUs, action)).toEqual(act(other, name, before.nowUs, action));
      const passedUs = action.do === "timeout" ? action.afterUs : 0;
      expect(bytesOf(one, nowUs + passedUs)).toBe(bytesOf(other, before.nowUs + passedUs));
    }
  }
  expect(again).toBeGreaterThan(1000);
});

test("of two timers that are due, that of the lower descriptor goes off first, whichever socket was made first", () => {
  const pair = new HostPair();
  pair.drops = () => true;
  const [low, high] = [1, 2].map(() => pair.must("client", { name: "socket", family: "IPv4" }));
  const connect = (fd: number) => pair.call("client", { name: "connect", fd, address: SERVER, port: PORT });
  connect(high!);
  pair.must("client", { name: "close", fd: low! });
  expect(pair.must("client", { name: "socket", family: "IPv4" })).toBe(low);
  connect(low!);
  pair.pass(1_000_000);
  expect(pair.sent.map(({ segment }) => segment.sourcePort)).toEqual([32_768, 32_769, 32_769, 32_768]);
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

test("a host with one connection takes as many bytes as docs/performance.md says", () => {
  const pair = new HostPair({ numbering: { by: "count", first: 1000, step: 0 }, connection: { timestamps: false } });
  pair.connected();
  const page = readFileSync(new URL("../../docs/performance.md", import.meta.url), "utf8");
  expect(page).toContain(`encodings (${bytesOf(pair.client, pair.nowUs).length / 2} bytes)`);
});
