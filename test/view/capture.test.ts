/** Traces as capture files; capture-wireshark.test.ts has Wireshark's own programs read them. */
import { describe, expect, test } from "vitest";
import { hasGoodChecksum } from "../../src/codec/packet.ts";
import { decodePcapng, PCAPNG_OPTION, type PcapngPacket } from "../../src/codec/pcapng.ts";
import type { Trace } from "../../src/trace/trace.ts";
import { toPcapng } from "../../src/view/capture.ts";
import { exchanged, recordOf, SYN, traceOf, wire, type Untold } from "../support/segments.ts";

const STARTED_AT_US = 1_750_000_000_123_456n;

function packetsOf(trace: Trace): (PcapngPacket & { comments: string[] })[] {
  const file = decodePcapng(toPcapng(trace, STARTED_AT_US));
  if (!file.ok) throw new Error(JSON.stringify(file.error));
  const texts = (packet: PcapngPacket) =>
    packet.options
      .filter(({ code }) => code === PCAPNG_OPTION.comment)
      .map(({ value }) => new TextDecoder().decode(value));
  return file.value.flatMap((block) => (block.kind === "packet" ? [{ ...block, comments: texts(block) }] : []));
}

describe("packets", () => {
  test("stand there twice: as the one host sent them, and one hop further as the other got them", () => {
    const [sent, delivered, ...others] = packetsOf(traceOf(exchanged(1, 5000, SYN)));
    expect(sent).toMatchObject({ interface: 0, timestamp: STARTED_AT_US + 5000n, length: 44 });
    expect(delivered).toMatchObject({ interface: 1, timestamp: STARTED_AT_US + 6000n, length: 44 });
    expect(others).toEqual([]);
    expect([sent!.bytes[8], delivered!.bytes[8]]).toEqual([64, 63]);
    expect(sent!.options.at(-1)).toEqual({ code: 2, value: Uint8Array.of(2, 0, 0, 0) });
    expect(delivered!.options.at(-1)).toEqual({ code: 2, value: Uint8Array.of(1, 0, 0, 0) });
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
    expect(packetsOf(trace).map(({ comments }) => comments)).toEqual([
      ["dropped by the wire (rule: first SYN)"],
      ["expired on the wire: no hops left"],
      ["held by the wire (rule: SYN) and never released"],
    ]);
  });

  test("that the wire kept back say until when", () => {
    const trace = traceOf([
      wire(0, 1, "sent", { host: "client", packet: recordOf(SYN) }),
      wire(0, 1, "held", { rule: "SYN" }),
      wire(3200, 1, "released"),
      wire(3201, 1, "delivered", { host: "server" }),
      wire(4000, 2, "sent", { host: "client", packet: recordOf(SYN) }),
      wire(4000, 2, "delayed", { byUs: 1500 }),
      wire(5500, 2, "delivered", { host: "server" }),
    ]);
    expect(packetsOf(trace).map(({ comments }) => comments)).toEqual([
      ["held by the wire (rule: SYN) until 3.2 ms"],
      [],
      ["delayed by the wire for 1.5 ms"],
      [],
    ]);
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
    expect(sent!.comments).toEqual(["duplicated by the wire (rule: twice)", "modified by the wire (rule: reset)"]);
    expect(modified).toMatchObject({ length: 40, comments: ["modified by the wire"] });
    expect(copy).toMatchObject({ length: 44, comments: ["copy 2, made by the wire"] });
    expect([modified!.bytes[33], copy!.bytes[33]]).toEqual([0x04, 0x02]);
  });

  test("with a wrong checksum keep it, those with a right one get a right one", () => {
    const good = recordOf(SYN);
    const bad = { ...good, bytes: `${good.bytes.slice(0, 20)}dead${good.bytes.slice(24)}` };
    const trace = traceOf([
      ...exchanged(1, 0, SYN),
      wire(0, 2, "sent", { host: "client", packet: bad }),
      wire(1, 2, "delivered", { host: "server" }),
    ]);
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

  test("is said on the nearest packet of their host", () => {
    const trace = traceOf([
      state(0, "server"),
      ...exchanged(1, 1000, SYN), // the server gets it at 2000
      state(2400, "client"),
      ...exchanged(2, 3000, { from: "server", flags: ["SYN", "ACK"], seq: 1 }), // the client gets it at 4000
      state(4500, "server"),
    ]);
    expect(packetsOf(trace).map(({ comments }) => comments)).toEqual([
      ["client/2: ESTABLISHED -> CLOSE-WAIT at 2.4 ms"],
      ["server/2: ESTABLISHED -> CLOSE-WAIT at 0 ms"],
      ["server/2: ESTABLISHED -> CLOSE-WAIT at 4.5 ms"],
      [],
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
      'client: write(3, "a\\x1b[2Jb") = -1 EPIPE at 0 ms',
      "client: accept(3) = 4 [fd09::2]:80 at 0 ms",
      'client: write(3, "x" repeated to 9000 bytes) at 0 ms',
      "client/1: timewait timer started, 60000 ms left at 0 ms",
      "expectation not met: the port is in use at 0 ms",
      expect.stringMatching(/^client: y{400,500}… at 0 ms$/),
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
    expect(packetsOf(trace).map(({ comments }) => comments)).toEqual([
      ["client: read(3, 100) at 0 ms"],
      [],
      [],
      ["client: read(3, 100) = 0 at 4.001 ms"],
    ]);
  });

  test("is said of the whole capture where the host has no packet", () => {
    const file = decodePcapng(toPcapng(traceOf([state(7, "server")]), STARTED_AT_US));
    const section = file.ok ? file.value[0]! : undefined;
    expect(section?.kind === "section" && section.options.map(({ value }) => new TextDecoder().decode(value))).toEqual([
      "close-wait: Who never closes",
      "does the claim hold? yes: It was seen.",
      "server/2: ESTABLISHED -> CLOSE-WAIT at 0.007 ms",
      "a model",
      "lastack",
    ]);
  });
});
