/** Captures of experiments that the lab has run, as Wireshark's own programs read them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { CATALOGUE } from "../../src/lab/catalogue/index.ts";
import type { SegmentEvent, SegmentRecord, Trace } from "../../src/trace/trace.ts";
import { CLI, lastack } from "../support/cli.ts";
import { lacking, testNeeding } from "../support/needs.ts";
import { readCapture, type CapturedFrame } from "../support/tshark.ts";
import { makeDirectory, removeDirectory, run } from "./helpers.ts";

/** Some experiments wait for TIME-WAIT to pass. */
const TIMEOUT_MS = 180_000;

let directory: string;
beforeAll(() => {
  directory = makeDirectory();
});
afterAll(() => removeDirectory(directory));

/** What the capture and the trace both tell of a packet. */
function told(on: string, tUs: bigint, packet: Omit<SegmentRecord, "from" | "to" | "bytes" | "window">): unknown {
  const { source, destination, seq, ack, flags, payloadLength, length } = packet;
  return { on, tUs, source, destination, seq, ack, flags: [...flags], payloadLength, length };
}

function toldByWireshark(frame: CapturedFrame): unknown {
  return told(frame.interface, frame.timeUs, {
    ...frame,
    source: { address: frame.source, port: frame.sourcePort },
    destination: { address: frame.destination, port: frame.destinationPort },
  });
}

function segmentsOf({ events }: Trace): SegmentEvent[] {
  return events.filter((event) => event.kind === "segment");
}

function expectSound(frames: readonly CapturedFrame[]): void {
  expect(frames.filter(({ malformed }) => malformed)).toEqual([]);
  expect(frames.filter(({ ipChecksum, tcpChecksum }) => [ipChecksum, tcpChecksum].includes("bad"))).toEqual([]);
}

for (const { id } of CATALOGUE) {
  const needs = ["a network namespace", "tshark"] as const;
  const body = (context: Parameters<typeof lacking>[0]) => {
    const [json, pcap] = [join(directory, `${id}.json`), join(directory, `${id}.pcapng`)];
    const command = [process.execPath, CLI, "lab", "run", id, "--json", json, "--pcap", pcap];
    const { stderr } = run(command, { timeout: TIMEOUT_MS });
    expect(stderr).toBe("");
    const trace = JSON.parse(readFileSync(json, "utf8")) as Trace;
    if (trace.outcome.status === "not run") lacking(context, trace.outcome.reason);
    const startedAtUs = BigInt(trace.startedAtMs!) * 1000n;
    const at = ({ tUs }: SegmentEvent) => startedAtUs + BigInt(Math.round(tUs));

    const segments = segmentsOf(trace);
    const sent = segments.filter(({ fate }) => fate === "sent");
    const frames = readCapture(pcap);
    expectSound(frames);
    expect(frames.filter(({ direction }) => direction === "outbound").map(toldByWireshark)).toEqual(
      sent.map((event) => told(event.host!, at(event), event.packet!)),
    );
    const arrivals = segments.filter(({ fate }) => fate === "delivered");
    // A segment that the wire left alone is there once.
    const reworked = new Set(
      segments.filter(({ fate }) => fate !== "sent" && fate !== "delivered").map((e) => e.segment),
    );
    expect(frames.length - sent.length).toBeLessThanOrEqual(
      arrivals.filter(({ segment }) => reworked.has(segment)).length,
    );

    for (const { name } of trace.hosts) {
      expect(lastack(["view", json, "--pcap", pcap, "--pcap-host", name])).toMatchObject({ stderr: "", status: 0 });
      const own = readCapture(pcap);
      expectSound(own);
      expect(own.map(({ interface: on, direction, timeUs }) => [on, direction, timeUs])).toEqual(
        [...sent, ...arrivals]
          .filter(({ host }) => host === name)
          .sort((a, b) => a.n - b.n)
          .map((event) => [name, event.fate === "sent" ? "outbound" : "inbound", at(event)]),
      );
    }
  };
  testNeeding(needs, `${id}: the capture has the segments of the trace, whole and right`, body, TIMEOUT_MS);
}

testNeeding(["a network namespace"], "a capture of a host that is not there, or of none, is refused", () => {
  const id = "last-ack-lost";
  const pcap = join(directory, "refused.pcapng");
  expect(lastack(["lab", "run", id, "--pcap", pcap, "--pcap-host", "nobody"])).toMatchObject({
    stderr: expect.stringContaining("--pcap-host nobody: the hosts are client, server") as unknown,
    status: 2,
  });
  expect(lastack(["lab", "run", id, "--pcap-host", "client"])).toMatchObject({
    stderr: expect.stringContaining("--pcap-host goes with --pcap") as unknown,
    status: 2,
  });
});
