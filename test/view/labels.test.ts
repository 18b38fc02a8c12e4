/** The words that every drawing of a trace shares. */
import { expect, test } from "vitest";
import {
  bytesLabel,
  callLabel,
  countLabel,
  durationLabel,
  noteLabel,
  resultLabel,
  segmentLabels,
  stateLabel,
  timeLabel,
  timerLabel,
} from "../../src/view/labels.ts";
import { copyLabel, fateWords, ruleLabel } from "../../src/view/fates.ts";
import { Connection, fails, got, ok, TraceBuilder } from "../support/trace-builder.ts";
import type { Call } from "../../src/call/call.ts";
import type { CallResult, SegmentFate } from "../../src/trace/trace.ts";

test.each([
  [0, "0.0 ms"],
  [12_345, "12.3 ms"],
  [999_949, "999.9 ms"],
  [999_950, "1.000 s"],
  [1_204_000, "1.204 s"],
  [99_999_499, "99.999 s"],
  [99_999_500, "100.00 s"],
  [999_994_999, "999.99 s"],
  [999_995_000, "1000.0 s"],
])("%i µs since the run began is %s", (tUs, text) => {
  expect(timeLabel(tUs)).toBe(text);
  expect(text.length).toBeLessThanOrEqual(8);
});

test("durations and counts are as short as people say them", () => {
  expect([40, 200.4, 1200, 60_000].map(durationLabel)).toEqual(["40 ms", "200 ms", "1.2 s", "60.0 s"]);
  expect([0, 999, 1000, 8_388_608].map(countLabel)).toEqual(["0", "999", "1,000", "8,388,608"]);
  expect([0, 1, 1204].map(bytesLabel)).toEqual(["0 bytes", "1 byte", "1,204 bytes"]);
});

test.each<[Call, CallResult, string]>([
  [{ name: "socket", family: "IPv4" }, ok(3), "socket = 3"],
  [{ name: "bind", fd: 3, address: "0.0.0.0", port: 8000 }, fails("EADDRINUSE"), "bind 0.0.0.0:8000 = EADDRINUSE (98)"],
  [{ name: "connect", fd: 3, address: "::1", port: 80 }, ok(), "connect [::1]:80 = 0"],
  [{ name: "setsockopt", fd: 3, option: "SO_REUSEADDR", value: 1 }, ok(), "setsockopt SO_REUSEADDR 1 = 0"],
  [{ name: "accept", fd: 3 }, ok(4, { endpoint: { address: "10.9.0.1", port: 40000 } }), "accept = 4 10.9.0.1:40000"],
  [{ name: "getsockname", fd: 3 }, ok(0, { endpoint: { address: "::", port: 1 } }), "getsockname = [::]:1"],
  [{ name: "read", fd: 4, length: 20 }, got("I am client"), 'read = 11 "I am client"'],
  [{ name: "read", fd: 4, length: 20 }, got(""), "read = 0 (end)"],
  [{ name: "read", fd: 4, length: 20 }, ok(5, { data: { length: 5, head: "a\\x00" } }), 'read = 5 "a\\x00…"'],
  [{ name: "write", fd: 4, data: "one\ntwo" }, ok(7), 'write "one\\ntwo" = 7'],
  [
    { name: "write", fd: 4, data: { repeat: "x", length: 65536 }, more: true },
    ok(65536),
    "write 65,536 bytes more = 65,536",
  ],
  [{ name: "shutdown", fd: 4, how: "write" }, ok(), "shutdown write = 0"],
  [{ name: "close", fd: 4 }, ok(), "close 4 = 0"],
  [{ name: "poll", fd: 4 }, ok(0, { events: ["IN", "HUP"] }), "poll = IN HUP"],
  [{ name: "poll", fd: 4 }, ok(0, { events: [] }), "poll = nothing"],
  [{ name: "fork", child: "\u001b[2J" }, ok(26_650), "fork \\x1b[2J = 26650"],
  [{ name: "getsockopt", fd: 4, option: "SO_RCVBUF" }, ok(131_072), "getsockopt SO_RCVBUF = 131,072"],
  [{ name: "exit", status: 1, by: "return" }, ok(), "return 1 = 0"],
])("%j", (call, result, text) => {
  expect(`${callLabel(call)} = ${resultLabel(call, result)}`).toBe(text);
});

test("a segment is told by what matters of it, and in shorter words too", () => {
  const connection = new Connection(new TraceBuilder());
  const labels = (...[flags, options]: [Parameters<Connection["packet"]>[1], Parameters<Connection["packet"]>[2]?]) => {
    const relative = { seq: 1, incarnation: 1, ...(flags.includes("ACK") && { ack: 42 }) };
    return segmentLabels(connection.packet("client", flags, options), relative);
  };
  expect(labels(["SYN"])[0]).toBe("SYN");
  expect(labels(["SYN", "ACK"])[0]).toBe("SYN,ACK");
  expect(labels(["ACK"])[0]).toBe("ACK 42");
  expect(labels(["ACK"], { window: 0 })[0]).toBe("ACK 42 win 0");
  expect(labels(["RST"], { window: 0 })[0]).toBe("RST seq 1");
  expect(labels([])).toEqual(["none seq 1", "none"]);
  expect(labels(["FIN", "ACK"])).toEqual(["FIN,ACK seq 1 ack 42", "FIN,ACK seq 1", "FIN,ACK"]);
  expect(labels(["PSH", "ACK"], { length: 20 })).toEqual([
    "PSH,ACK 1:21 (20 bytes)",
    "PSH,ACK 1:21 (20)",
    "PSH,ACK 1:21",
    "PSH,ACK",
  ]);
});

test("states and timers say how long they last", () => {
  expect(stateLabel({ to: "TIME-WAIT", timer: { kind: "timewait", leftMs: 60_000 } })).toBe("TIME-WAIT (60.0 s)");
  expect(stateLabel({ to: "FIN-WAIT-1", timer: { kind: "retransmit", leftMs: 200 } })).toBe("FIN-WAIT-1");
  expect(timerLabel({ timer: "retransmit", what: "expired", leftMs: 0 })).toBe("retransmit timer fired");
  expect(timerLabel({ timer: "timewait", what: "restarted", leftMs: 60_000 })).toBe(
    "TIME-WAIT timer restarted (60.0 s)",
  );
});

test("notes say what was printed, and whether what was expected came about", () => {
  expect(noteLabel({ about: "output", text: "a\u001b[2Jb" })).toBe("prints “a\\x1b[2Jb”");
  expect(noteLabel({ about: "expectation", text: "the port is free", met: false })).toBe("not met: the port is free");
  expect(noteLabel({ about: "process", text: "is sent SIGKILL" })).toBe("is sent SIGKILL");
});

test("what the wire did has words for every room", () => {
  const words = (fate: SegmentFate, byUs?: number) => Object.values(fateWords({ fate, ...(byUs && { byUs }) }));
  expect(words("dropped")).toEqual(["dropped by the wire", "dropped", "dropped"]);
  expect(words("delayed", 40_000)).toEqual(["delayed by the wire for 40 ms", "delayed 40 ms", "delayed"]);
  expect(words("delayed")).toEqual(["delayed by the wire", "delayed", "delayed"]);
  expect(words("expired")[1]).toBe("expired: no hops left");
  expect(words("delivered")).toEqual(["delivered", "delivered", "delivered"]);
  expect([ruleLabel({ rule: "a\nb" }), ruleLabel({}), copyLabel({ copy: 2 }), copyLabel({})]).toEqual([
    " (a\\nb)",
    "",
    ", copy 2",
    "",
  ]);
});
