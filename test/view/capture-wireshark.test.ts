/** Captures of traces as Wireshark's own programs read them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect } from "vitest";
import { TCP_FLAGS, type TcpFlag } from "../../src/codec/tcp.ts";
import { SNAP_LENGTH } from "../../src/trace/segment-record.ts";
import type { Trace } from "../../src/trace/trace.ts";
import { toPcapng } from "../../src/view/capture.ts";
import { testNeeding } from "../support/needs.ts";
import { CLIENT_ISN, packetOf, recordOf, SYN } from "../support/packets.ts";
import { TraceBuilder } from "../support/trace-builder.ts";
import { bulk, lastAckLost, oldDuplicate, restart, simultaneousClose } from "../support/traces.ts";
import { describeCapture, expertInfo, readCapture, type CapturedFrame } from "../support/tshark.ts";

const STARTED_AT_US = 1_750_000_000_123_456n;
const SERVER_ISN = 77_000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lastack-capture-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function written(trace: Trace, host?: string): string {
  const file = join(folder, "capture.pcapng");
  writeFileSync(file, toPcapng(trace, STARTED_AT_US, host === undefined ? {} : { host }));
  return file;
}

/** A handshake, data longer than a trace keeps of it, and a FIN that is lost. */
function conversation(): Trace {
  const t = new TraceBuilder({ id: "close-wait", title: "Who never closes" });
  t.exchanged(0, SYN);
  t.exchanged(1000, { from: "server", flags: ["SYN", "ACK"], seq: SERVER_ISN, ack: CLIENT_ISN + 1 });
  t.exchanged(2000, { from: "client", flags: ["ACK"], seq: CLIENT_ISN + 1, ack: SERVER_ISN + 1 });
  t.exchanged(3000, {
    from: "client",
    flags: ["PSH", "ACK"],
    seq: CLIENT_ISN + 1,
    ack: SERVER_ISN + 1,
    data: "hello ".repeat(100),
    options: [{ kind: "nop" }, { kind: "nop" }, { kind: "timestamps", value: 7, echo: 8 }],
  });
  const fin = t
    .at(5000)
    .sent(recordOf({ from: "server", flags: ["FIN", "ACK"], seq: SERVER_ISN + 1, ack: 585, data: "bye" }));
  t.fate(fin, "dropped", { rule: "FIN" });
  return t.trace;
}

testNeeding(["tshark"], "the same segments, the right checksums, nothing malformed", () => {
  const segments = conversation().events.filter((event) => event.kind === "segment");
  const packets = segments.flatMap(({ packet }) => (packet ? [packet] : []));
  const framesAt = (host: "client" | "server" | undefined) =>
    segments
      .filter(({ fate, host: at }) => (host === undefined ? fate === "sent" : at === host))
      .map(({ segment, fate, tUs, host: at }): CapturedFrame => {
        const { source, destination, seq, ack, flags, payloadLength, length } = packets[segment - 1]!;
        const cut = Math.max(0, payloadLength - SNAP_LENGTH);
        return {
          interface: at!,
          direction: fate === "sent" ? "outbound" : "inbound",
          timeUs: STARTED_AT_US + BigInt(tUs),
          source: source.address,
          destination: destination.address,
          sourcePort: source.port,
          destinationPort: destination.port,
          hopsLeft: fate === "sent" ? 64 : 63,
          seq,
          ack,
          flags: [...flags] as TcpFlag[],
          payloadLength,
          length,
          capturedLength: length - cut,
          comments: segment === 5 ? ["dropped by the wire (FIN)"] : [],
          ipChecksum: "good",
          tcpChecksum: cut > 0 ? "unverified" : "good",
          malformed: false,
          analysis: [],
        };
      });
  expect([undefined, "client", "server"].map((host) => framesAt(host as "client").length)).toEqual([5, 4, 5]);
  for (const host of [undefined, "client", "server"] as const) {
    const file = written(conversation(), host);
    expect(readCapture(file)).toEqual(framesAt(host));
    expect(expertInfo(file)).not.toMatch(/malformed|checksum|Errors|Warn/i);
  }
});

testNeeding(["tshark"], "nothing is taken for sent again, late or out of order but what was", () => {
  const strange = (trace: Trace) =>
    readCapture(written(trace)).flatMap(({ direction, source, flags, analysis }) =>
      analysis.length > 0 ? [`${direction} from ${source}: ${flags.join()}: ${analysis.join()}`] : [],
    );
  expect(strange(conversation())).toEqual([]);
  expect(strange(restart())).toEqual([]);
  expect(strange(bulk(1))).toEqual([]);
  expect(strange(lastAckLost())).toEqual([
    "outbound from 10.9.0.2: FIN,ACK: retransmission",
    // The ACK that TIME-WAIT answers it with: the one that was lost, once more.
    "outbound from 10.9.0.1: ACK: duplicate_ack",
  ]);
  // What the wire held is there as sent and as it arrived.
  expect(strange(simultaneousClose())).toEqual([
    "inbound from 10.9.0.1: FIN,ACK: retransmission",
    "inbound from 10.9.0.2: FIN,ACK: retransmission",
  ]);
  expect(strange(oldDuplicate())).toEqual([
    "inbound from 10.9.0.1: PSH,ACK: retransmission,spurious_retransmission", // the old copy
    "outbound from 10.9.0.2: ACK: duplicate_ack", // what it is answered with
    "inbound from 10.9.0.1: ACK: retransmission", // delayed
    "inbound from 10.9.0.2: ACK: duplicate_ack", // modified
    "outbound from 10.9.0.1: FIN,ACK: retransmission", // no hops left, so it is sent again
  ]);
});

testNeeding(["tshark"], "IPv6", () => {
  const trace = new TraceBuilder().exchanged(0, { ...SYN, version: 6, data: "odd" }).trace;
  const frames = ["client", "server"].flatMap((host) => readCapture(written(trace, host)));
  expect(frames.map(({ source, hopsLeft, length }) => ({ source, hopsLeft, length }))).toEqual([
    { source: "fd09::1", hopsLeft: 64, length: 67 },
    { source: "fd09::1", hopsLeft: 63, length: 67 },
  ]);
  for (const frame of frames) {
    expect(frame).toMatchObject({ tcpChecksum: "good", ipChecksum: undefined, malformed: false });
  }
});

testNeeding(["tshark"], "what was damaged is seen to be damaged", () => {
  const whole = recordOf({ ...SYN, data: "hello" });
  const damaged = { ...whole, bytes: `${whole.bytes.slice(0, -2)}00` };
  // Its IP header says that it ends within the TCP header.
  const impossible = { ...whole, bytes: `4500001e${whole.bytes.slice(8, 60)}`, length: 30 };
  const t = new TraceBuilder();
  t.sent(damaged);
  t.sent(impossible);
  const file = written(t.trace);
  expect(readCapture(file)).toMatchObject([
    { ipChecksum: "good", tcpChecksum: "bad", malformed: false },
    { ipChecksum: "bad", malformed: true },
  ]);
  expect(expertInfo(file)).toMatch(/Bad checksum[^]*Malformed Packet/);
});

testNeeding(["tshark"], "every flag, number and length is Wireshark's too", () => {
  const words = fc.record({
    from: fc.constantFrom("client" as const, "server" as const),
    flags: fc.subarray([...TCP_FLAGS]),
    seq: fc.nat(0xffffffff),
    ack: fc.nat(0xffffffff),
    data: fc.string({ unit: "binary-ascii", maxLength: 200 }),
    version: fc.constantFrom(4 as const, 6 as const),
  });
  fc.assert(
    fc.property(fc.array(words, { minLength: 50, maxLength: 100 }), (all) => {
      const t = new TraceBuilder();
      for (const [i, each] of all.entries()) t.exchanged(2000 * i, each);
      const seen = readCapture(written(t.trace));
      const told = ({ seq, ack, flags, payloadLength, length }: Omit<(typeof seen)[number], "source">) => ({
        seq,
        ack,
        flags,
        payloadLength,
        length,
      });
      expect(seen.map(told)).toEqual(
        all.map((each) => {
          const { tcp } = packetOf(each);
          const length = (each.version === 4 ? 40 : 60) + tcp.payload.length;
          return { seq: each.seq, ack: each.ack, flags: each.flags, payloadLength: tcp.payload.length, length };
        }),
      );
      expect(seen.filter(({ tcpChecksum }) => tcpChecksum === "bad")).toEqual([]);
    }),
    { numRuns: 3 },
  );
});

testNeeding(["tshark"], "the file's own facts: interfaces, system, comments", () => {
  const hostile = conversation();
  hostile.hosts[0]!.addresses.push("fd09::1", "\u001b]0;x\u0007");
  const description = describeCapture(written(hostile));
  expect(description).toContain("Number of packets:   5");
  expect(description).toContain("Capture oper-sys:    Linux 6.18.0");
  expect(description).toContain("Capture application: lastack");
  expect(description).toContain("close-wait: Who never closes");
  expect(description).toMatch(/Name = client\n\s+Description = 10\.9\.0\.1, fd09::1, \\x1b\]0;x\\x07\n/);
  expect(description).toMatch(/Name = server\n\s+Description = 10\.9\.0\.2\n/);
  expect(description).toContain("Time precision = microseconds (6)");
  expect(description).not.toContain("\u001b");
});

testNeeding(["tshark"], "a file that is cut off is complained of", () => {
  const file = join(folder, "cut.pcapng");
  writeFileSync(file, toPcapng(conversation(), STARTED_AT_US).subarray(0, -10));
  expect(() => readCapture(file)).toThrow(/cut short/);
});
