/** Traces as capture files; capture-wireshark.test.ts has Wireshark's own programs read them. */
import { describe, expect, test } from "vitest";
import { hasGoodChecksum } from "../../src/codec/packet.ts";
import {
  decodePcapng,
  PCAPNG_OPTION,
  type PcapngBlock,
  type PcapngOption,
  type PcapngPacket,
} from "../../src/codec/pcapng.ts";
import type { Trace } from "../../src/trace/trace.ts";
import { toPcapng, type CaptureOptions } from "../../src/view/capture.ts";
import { exchanged, recordOf, SYN, traceOf, wire, type Untold } from "../support/segments.ts";

const STARTED_AT_US = 1_750_000_000_123_456n;

interface Packet extends PcapngPacket {
  /** The name of its interface. */
  on: string;
  comments: string[];
}

const textsOf = (options: readonly PcapngOption[], wanted: number) =>
  options.filter(({ code }) => code === wanted).map(({ value }) => new TextDecoder().decode(value));

function blocksOf(trace: Trace, options?: CaptureOptions): PcapngBlock[] {
  const file = decodePcapng(toPcapng(trace, STARTED_AT_US, options));
  if (!file.ok) throw new Error(JSON.stringify(file.error));
  return file.value;
}

function interfacesOf(trace: Trace, options?: CaptureOptions): string[] {
  return blocksOf(trace, options).flatMap((block) =>
    block.kind === "interface" ? textsOf(block.options, PCAPNG_OPTION.interface.name) : [],
  );
}

function packetsOf(trace: Trace, options?: CaptureOptions): Packet[] {
  const names = interfacesOf(trace, options);
  return blocksOf(trace, options).flatMap((block) =>
    block.kind === "packet"
      ? [{ ...block, on: names[block.interface]!, comments: textsOf(block.options, PCAPNG_OPTION.comment) }]
      : [],
  );
}

const commentsOf = (trace: Trace, options?: CaptureOptions) =>
  packetsOf(trace, options).map(({ comments }) => comments);

const OUTBOUND = { code: 2, value: Uint8Array.of(2, 0, 0, 0) };
const INBOUND = { code: 2, value: Uint8Array.of(1, 0, 0, 0) };

describe("packets", () => {
  test("that simply passed stand there once: as, where and when they were sent", () => {
    const trace = traceOf(exchanged(1, 5000, SYN));
    const [sent, ...others] = packetsOf(trace);
    expect(sent).toMatchObject({ on: "client", timestamp: STARTED_AT_US + 5000n, length: 44, comments: [] });
    expect(sent!.bytes[8]).toBe(64);
    expect(sent!.options.at(-1)).toEqual(OUTBOUND);
    expect(others).toEqual([]);
    expect(interfacesOf(trace)).toEqual(["client", "server"]);
  });

  test("that the wire lost stand there once, and say why", () => {
    const trace = traceOf([
      wire(0, 1, "sent", { host: "client", packet: recordOf(SYN) }),
      wire(0, 1, "dropped", { rule: "first SYN" }),
      wire(9, 2, "sent", { host: "client", packet: recordOf(SYN) }),
      wire(9, 2, "expired"),
      wire(10, 3, "sent", { host: "client", packet: recordOf(SYN) }),
      wire(10, 3, "held", { rule: "SYN" }),
    ]);
    expect(commentsOf(trace)).toEqual([
      ["dropped by the wire (first SYN)"],
      ["expired on the wire: its hops ran out"],
      ["held by the wire (SYN) and never released"],
    ]);
  });

  test("that the wire kept back say until when, and stand there again when they arrive, one hop further", () => {
    const trace = traceOf([
      wire(0, 1, "sent", { host: "client", packet: recordOf(SYN) }),
      wire(0, 1, "held", { rule: "SYN" }),
      wire(3200, 1, "released"),
      wire(3201, 1, "delivered", { host: "server" }),
      wire(4000, 2, "sent", { host: "client", packet: recordOf(SYN) }),
      wire(4000, 2, "delayed", { byUs: 15_000 }),
      wire(19_000, 2, "delivered", { host: "server" }),
    ]);
    expect(commentsOf(trace)).toEqual([
      ["held by the wire (SYN) until 3.2 ms"],
      ["released by the wire"],
      ["delayed by the wire for 15 ms"],
      ["delayed by the wire for 15 ms"],
    ]);
    const [sent, released] = packetsOf(trace);
    expect(released).toMatchObject({ on: "server", timestamp: STARTED_AT_US + 3201n, length: 44 });
    expect([sent!.bytes[8], released!.bytes[8]]).toEqual([64, 63]);
    expect(released!.options.at(-1)).toEqual(INBOUND);
  });

  test("that the wire modified are delivered as modified; another copy is not", () => {
    const rst = recordOf({ from: "client", flags: ["RST"], seq: 5 });
    const trace = traceOf([
      wire(0, 1, "sent", { host: "client", packet: recordOf(SYN) }),
      wire(0, 1, "duplicated", { copy: 2, rule: "twice" }),
      wire(0, 1, "modified", { packet: rst, rule: "reset" }),
      wire(1, 1, "delivered", { host: "server" }),
      wire(2, 1, "delivered", { host: "server", copy: 2 }),
    ]);
    const [sent, modified, copy] = packetsOf(trace);
    expect(sent!.comments).toEqual(["duplicated by the wire, copy 2 (twice)", "modified by the wire (reset)"]);
    expect(modified).toMatchObject({ on: "server", length: 40, comments: ["modified by the wire"] });
    expect(copy).toMatchObject({ on: "server", length: 44, comments: ["copy 2, made by the wire"] });
    expect([modified!.bytes[33], copy!.bytes[33]]).toEqual([0x04, 0x02]);
  });

  test("that passed, and of which the wire kept a copy, stand there as sent, and again when the copy comes", () => {
    const trace = traceOf([
      wire(0, 1, "sent", { host: "client", packet: recordOf(SYN) }),
      wire(0, 1, "duplicated", { copy: 2, rule: "copy SYN" }),
      wire(90, 1, "delivered", { host: "server" }),
      // What is let go later may be told without its number.
      wire(5000, 1, "released"),
      wire(5000, 1, "delivered", { host: "server" }),
    ]);
    expect(packetsOf(trace)).toMatchObject([
      { on: "client", comments: ["duplicated by the wire, copy 2 (copy SYN)"] },
      { on: "server", timestamp: STARTED_AT_US + 5000n, comments: ["released by the wire"] },
    ]);
  });

  test("with a wrong checksum keep it, those with a right one get a right one", () => {
    const good = recordOf(SYN);
    const bad = { ...good, bytes: `${good.bytes.slice(0, 20)}dead${good.bytes.slice(24)}` };
    const held = (segment: number, packet: typeof bad) => [
      wire(0, segment, "sent", { host: "client", packet }),
      wire(0, segment, "held"),
      wire(1, segment, "released"),
      wire(1, segment, "delivered", { host: "server" }),
    ];
    const trace = traceOf([...held(1, good), ...held(2, bad)]);
    const sums = packetsOf(trace).map(({ bytes }) => {
      let sum = 0;
      for (let i = 0; i < 20; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
      return sum % 0xffff;
    });
    expect(sums[0]).toBe(0);
    expect(sums[1]).toBe(0);
    expect(sums[2]).not.toBe(0);
    expect(sums[3]).toBe(sums[2]);
    expect(packetsOf(trace).every(({ bytes }) => hasGoodChecksum(bytes))).toBe(true);
  });

  test("of a trace that contradicts itself are refused", () => {
    const stranger = traceOf([wire(0, 1, "sent", { host: "mallory", packet: recordOf(SYN) })]);
    expect(() => toPcapng(stranger, 0n)).toThrow("does not list its host mallory");
    const noHex = traceOf([wire(0, 1, "sent", { host: "client", packet: { ...recordOf(SYN), bytes: "4x" } })]);
    expect(() => toPcapng(noHex, 0n)).toThrow(RangeError);
  });
});

describe("what sockets and processes did", () => {
  const state = (tUs: number, host: string): Untold => ({
    kind: "state",
    tUs,
    host,
    socket: `${host}/2`,
    from: "ESTABLISHED",
    to: "CLOSE-WAIT",
  });

  const trace = traceOf([
    state(0, "server"),
    ...exchanged(1, 1000, SYN), // the server gets it at 2000
    state(2400, "client"),
    ...exchanged(2, 3000, { from: "server", flags: ["SYN", "ACK"], seq: 1 }), // the client gets it at 4000
    state(4500, "server"),
    state(4500, "client"),
  ]);

  test("is said on the packet that their host sent or got at the nearest time", () => {
    expect(commentsOf(trace)).toEqual([
      ["server/2: ESTABLISHED → CLOSE-WAIT at 0.0 ms", "client/2: ESTABLISHED → CLOSE-WAIT at 2.4 ms"],
      ["server/2: ESTABLISHED → CLOSE-WAIT at 4.5 ms", "client/2: ESTABLISHED → CLOSE-WAIT at 4.5 ms"],
    ]);
  });

  test("is said in a host's own capture only if it was there", () => {
    expect(commentsOf(trace, { host: "client" })).toEqual([
      ["client/2: ESTABLISHED → CLOSE-WAIT at 2.4 ms"],
      ["client/2: ESTABLISHED → CLOSE-WAIT at 4.5 ms"],
    ]);
  });

  test("is in words: calls with what they returned, timers, notes", () => {
    const on = { host: "client", process: "client", tUs: 0 };
    const trace = traceOf([
      { kind: "call", ...on, call: { name: "write", fd: 3, data: "a\u001b[2Jb" } },
      { kind: "return", ...on, cause: 1, result: { ok: false, errno: 32, code: "EPIPE" } },
      { kind: "call", ...on, call: { name: "accept", fd: 3 } },
      { kind: "return", ...on, cause: 3, result: { ok: true, value: 4, endpoint: { address: "fd09::2", port: 80 } } },
      { kind: "call", ...on, call: { name: "write", fd: 3, data: { repeat: "x", length: 9000 } } },
      { kind: "timer", host: "client", tUs: 0, socket: "client/1", timer: "timewait", what: "started", leftMs: 60_000 },
      { kind: "note", tUs: 0, about: "expectation", text: "the port is in use", met: false },
      { kind: "note", ...on, about: "output", text: "y".repeat(10_000) },
      ...exchanged(1, 0, SYN),
    ]);
    expect(packetsOf(trace)[0]!.comments).toEqual([
      'client: write "a\\x1b[2Jb" = EPIPE (32) at 0.0 ms',
      "client: accept = 4 [fd09::2]:80 at 0.0 ms",
      "client: write 9,000 bytes at 0.0 ms",
      "client/1: TIME-WAIT timer started (60.0 s) at 0.0 ms",
      "expectation not met: the port is in use at 0.0 ms",
      expect.stringMatching(/^client: prints “y{400,500}… at 0.0 ms$/),
    ]);
  });

  test("of a call that blocks is said where it was made and where it returned", () => {
    const on = { host: "client", process: "client" };
    const trace = traceOf([
      { kind: "call", tUs: 0, ...on, call: { name: "read", fd: 3, length: 100 } },
      ...exchanged(1, 0, SYN),
      ...exchanged(2, 3000, { from: "server", flags: ["FIN", "ACK"], seq: 1 }),
      { kind: "return", tUs: 4001, ...on, cause: 1, result: { ok: true, value: 0 } },
    ]);
    expect(commentsOf(trace)).toEqual([["client: read at 0.0 ms"], ["client: read = 0 at 4.0 ms"]]);
  });

  test("is said of the whole capture where the host has no packet", () => {
    const [section] = blocksOf(traceOf([state(7, "server")]));
    expect(section?.kind === "section" && section.options.map(({ value }) => new TextDecoder().decode(value))).toEqual([
      "close-wait: Who never closes",
      "It was seen.",
      "server/2: ESTABLISHED → CLOSE-WAIT at 0.0 ms",
      "a model",
      "lastack",
    ]);
  });
});

describe("a host's own capture", () => {
  const trace = traceOf([
    ...exchanged(1, 0, SYN),
    ...exchanged(2, 2000, { from: "server", flags: ["SYN", "ACK"], seq: 1 }),
    wire(4000, 3, "sent", { host: "client", packet: recordOf({ ...SYN, flags: ["ACK"] }) }),
    wire(4000, 3, "dropped"),
    wire(5000, 4, "sent", { host: "client", packet: recordOf({ ...SYN, flags: ["FIN", "ACK"] }) }),
    wire(5000, 4, "held"),
    wire(9000, 4, "released"),
    wire(9000, 4, "delivered", { host: "server" }),
  ]);
  const seenBy = (host: string) =>
    packetsOf(trace, { host }).map(({ on, timestamp, bytes, options, comments }) => [
      on,
      Number(timestamp - STARTED_AT_US),
      bytes[8],
      options.at(-1)!.value[0] === 2 ? "outbound" : "inbound",
      ...comments,
    ]);

  test("has what it sent when it was sent, and what it got when that came", () => {
    expect(seenBy("client")).toEqual([
      ["client", 0, 64, "outbound"],
      ["client", 3000, 63, "inbound"],
      ["client", 4000, 64, "outbound", "dropped by the wire"],
      ["client", 5000, 64, "outbound", "held by the wire until 9.0 ms"],
    ]);
    expect(seenBy("server")).toEqual([
      ["server", 1000, 63, "inbound"],
      ["server", 2000, 64, "outbound"],
      ["server", 9000, 63, "inbound", "released by the wire"],
    ]);
    expect(interfacesOf(trace, { host: "server" })).toEqual(["server"]);
  });

  test("is refused for a host that the trace does not have", () => {
    expect(() => toPcapng(trace, 0n, { host: "nobody" })).toThrow('the trace has no host named "nobody"');
  });
});
