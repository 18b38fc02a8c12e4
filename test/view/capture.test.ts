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
import { recordOf, SYN } from "../support/packets.ts";
import { fails, ok, TraceBuilder } from "../support/trace-builder.ts";

const STARTED_AT_US = 1_750_000_000_123_456n;

/** Times are exactly those that are told: {@link TraceBuilder.at}. */
function builder(): TraceBuilder {
  return new TraceBuilder({ id: "close-wait", title: "Who never closes", claims: [] }).at(0);
}

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
    const { trace } = builder().exchanged(5000, SYN);
    const [sent, ...others] = packetsOf(trace);
    expect(sent).toMatchObject({ on: "client", timestamp: STARTED_AT_US + 5000n, length: 44, comments: [] });
    expect(sent!.bytes[8]).toBe(64);
    expect(sent!.options.at(-1)).toEqual(OUTBOUND);
    expect(others).toEqual([]);
    expect(interfacesOf(trace)).toEqual(["client", "server"]);
  });

  test("that the wire lost stand there once, and say why", () => {
    const t = builder();
    t.at(0).sent(recordOf(SYN));
    t.at(0).fate(1, "dropped", { rule: "first SYN" });
    t.at(9).sent(recordOf(SYN));
    t.at(9).fate(2, "expired");
    t.at(10).sent(recordOf(SYN));
    t.at(10).fate(3, "held", { rule: "SYN" });
    expect(commentsOf(t.trace)).toEqual([
      ["dropped by the wire (first SYN)"],
      ["expired on the wire: no hops left"],
      ["held by the wire (SYN) and never released"],
    ]);
  });

  test("that the wire kept back say until when, and stand there again when they arrive, one hop further", () => {
    const t = builder();
    t.at(0).sent(recordOf(SYN));
    t.at(0).fate(1, "held", { rule: "SYN" });
    t.at(3200).fate(1, "released");
    t.at(3201).fate(1, "delivered", { host: "server" });
    t.at(4000).sent(recordOf(SYN));
    t.at(4000).fate(2, "delayed", { byUs: 15_000 });
    t.at(19_000).fate(2, "delivered", { host: "server" });
    expect(commentsOf(t.trace)).toEqual([
      ["held by the wire (SYN) until 3.2 ms"],
      ["released by the wire"],
      ["delayed by the wire for 15 ms"],
      ["delayed by the wire for 15 ms"],
    ]);
    const [sent, released] = packetsOf(t.trace);
    expect(released).toMatchObject({ on: "server", timestamp: STARTED_AT_US + 3201n, length: 44 });
    expect([sent!.bytes[8], released!.bytes[8]]).toEqual([64, 63]);
    expect(released!.options.at(-1)).toEqual(INBOUND);
  });

  test("that the wire modified are delivered as modified; another copy is not", () => {
    const rst = recordOf({ from: "client", flags: ["RST"], seq: 5 });
    const t = builder();
    t.at(0).sent(recordOf(SYN));
    t.at(0).fate(1, "duplicated", { copy: 2, rule: "twice" });
    t.at(0).fate(1, "modified", { packet: rst, rule: "reset" });
    t.at(1).fate(1, "delivered", { host: "server" });
    t.at(2).fate(1, "delivered", { host: "server", copy: 2 });
    const [sent, modified, copy] = packetsOf(t.trace);
    expect(sent!.comments).toEqual(["duplicated by the wire, copy 2 (twice)", "modified by the wire (reset)"]);
    expect(modified).toMatchObject({ on: "server", length: 40, comments: ["modified by the wire"] });
    expect(copy).toMatchObject({ on: "server", length: 44, comments: ["copy 2, made by the wire"] });
    expect([modified!.bytes[33], copy!.bytes[33]]).toEqual([0x04, 0x02]);
  });

  test("that passed, and of which the wire kept a copy, stand there as sent, and again when the copy comes", () => {
    const t = builder();
    t.at(0).sent(recordOf(SYN));
    t.at(0).fate(1, "duplicated", { copy: 2, rule: "copy SYN" });
    t.at(90).fate(1, "delivered", { host: "server" });
    // What is let go later may be told without its number.
    t.at(5000).fate(1, "released");
    t.at(5000).fate(1, "delivered", { host: "server" });
    expect(packetsOf(t.trace)).toMatchObject([
      { on: "client", comments: ["duplicated by the wire, copy 2 (copy SYN)"] },
      { on: "server", timestamp: STARTED_AT_US + 5000n, comments: ["released by the wire"] },
    ]);
  });

  test("with a wrong checksum keep it, those with a right one get a right one", () => {
    const good = recordOf(SYN);
    const bad = { ...good, bytes: `${good.bytes.slice(0, 20)}dead${good.bytes.slice(24)}` };
    const t = builder();
    for (const packet of [good, bad]) {
      const segment = t.sent(packet);
      for (const fate of ["held", "released", "delivered"] as const) t.fate(segment, fate);
    }
    const sums = packetsOf(t.trace).map(({ bytes }) => {
      let sum = 0;
      for (let i = 0; i < 20; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
      return sum % 0xffff;
    });
    expect(sums[0]).toBe(0);
    expect(sums[1]).toBe(0);
    expect(sums[2]).not.toBe(0);
    expect(sums[3]).toBe(sums[2]);
    expect(packetsOf(t.trace).every(({ bytes }) => hasGoodChecksum(bytes))).toBe(true);
  });

  test("of a trace that contradicts itself are refused", () => {
    const stranger = builder();
    stranger.sent({ ...recordOf(SYN), from: "mallory" });
    expect(() => toPcapng(stranger.trace, 0n)).toThrow("does not list its host mallory");
    const noHex = builder();
    noHex.sent({ ...recordOf(SYN), bytes: "4x" });
    expect(() => toPcapng(noHex.trace, 0n)).toThrow(RangeError);
  });
});

describe("what sockets and processes did", () => {
  const closeWait = (t: TraceBuilder, host: string) => t.state(`${host}/2`, "ESTABLISHED", "CLOSE-WAIT");
  const t = builder();
  closeWait(t.at(0), "server");
  t.exchanged(1000, SYN); // the server gets it at 2000
  closeWait(t.at(2400), "client");
  t.exchanged(3000, { from: "server", flags: ["SYN", "ACK"], seq: 1 }); // the client gets it at 4000
  closeWait(t.at(4500), "server");
  closeWait(t.at(4500), "client");

  test("is said on the packet that their host sent or got at the nearest time", () => {
    expect(commentsOf(t.trace)).toEqual([
      ["server/2: ESTABLISHED → CLOSE-WAIT at 0.0 ms", "client/2: ESTABLISHED → CLOSE-WAIT at 2.4 ms"],
      ["server/2: ESTABLISHED → CLOSE-WAIT at 4.5 ms", "client/2: ESTABLISHED → CLOSE-WAIT at 4.5 ms"],
    ]);
  });

  test("is said in a host's own capture only if it was there", () => {
    expect(commentsOf(t.trace, { host: "client" })).toEqual([
      ["client/2: ESTABLISHED → CLOSE-WAIT at 2.4 ms"],
      ["client/2: ESTABLISHED → CLOSE-WAIT at 4.5 ms"],
    ]);
  });

  test("is in words: calls with what they returned, timers, notes", () => {
    const t = builder();
    t.call("client", { name: "write", fd: 3, data: "a\u001b[2Jb" }, fails("EPIPE"));
    t.call("client", { name: "accept", fd: 3 }, ok(4, { endpoint: { address: "fd09::2", port: 80 } }));
    t.begins("client", { name: "write", fd: 3, data: { repeat: "x", length: 9000 } });
    t.timer("client/1", "timewait", "started", 60_000);
    t.expect("the port is in use", false);
    t.note("output", "y".repeat(10_000), { host: "client", process: "client" });
    t.exchanged(0, SYN);
    expect(packetsOf(t.trace)[0]!.comments).toEqual([
      'client: write "a\\x1b[2Jb" = EPIPE (32) at 0.0 ms',
      "client: accept = 4 [fd09::2]:80 at 0.0 ms",
      "client: write 9,000 bytes at 0.0 ms",
      "client/1: TIME-WAIT timer started (60.0 s) at 0.0 ms",
      "expectation not met: the port is in use at 0.0 ms",
      expect.stringMatching(/^client: prints “y{400,500}… at 0.0 ms$/),
    ]);
  });

  test("of a call that blocks is said where it was made and where it returned", () => {
    const t = builder();
    const read = t.begins("client", { name: "read", fd: 3, length: 100 });
    t.exchanged(0, SYN);
    t.exchanged(3000, { from: "server", flags: ["FIN", "ACK"], seq: 1 });
    t.at(4001).returns("client", read, ok(0));
    expect(commentsOf(t.trace)).toEqual([["client: read at 0.0 ms"], ["client: read = 0 at 4.0 ms"]]);
  });

  test("is said of the whole capture where the host has no packet", () => {
    const t = builder();
    closeWait(t, "server");
    const [section] = blocksOf(t.trace);
    expect(section?.kind === "section" && section.options.map(({ value }) => new TextDecoder().decode(value))).toEqual([
      "close-wait: Who never closes",
      "that is what happened",
      "server/2: ESTABLISHED → CLOSE-WAIT at 0.0 ms",
      "Linux 6.18.0",
      "lastack",
    ]);
  });
});

describe("a host's own capture", () => {
  const t = builder();
  t.exchanged(0, SYN);
  t.exchanged(2000, { from: "server", flags: ["SYN", "ACK"], seq: 1 });
  t.at(4000).sent(recordOf({ ...SYN, flags: ["ACK"] }));
  t.at(4000).fate(3, "dropped");
  t.at(5000).sent(recordOf({ ...SYN, flags: ["FIN", "ACK"] }));
  t.at(5000).fate(4, "held");
  t.at(9000).fate(4, "released");
  t.at(9000).fate(4, "delivered", { host: "server" });
  const seenBy = (host: string) =>
    packetsOf(t.trace, { host }).map(({ on, timestamp, bytes, options, comments }) => [
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
    expect(interfacesOf(t.trace, { host: "server" })).toEqual(["server"]);
  });

  test("is refused for a host that the trace does not have", () => {
    expect(() => toPcapng(t.trace, 0n, { host: "nobody" })).toThrow('the trace has no host named "nobody"');
  });
});
