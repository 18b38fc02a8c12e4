/** Which runs of events are shown as one. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Trace } from "../../src/trace/trace.ts";
import { callCountLabels, foldBulk, trafficLabel, type Fold } from "../../src/view/fold.ts";
import { drawLadder } from "../../src/view/ladder/ladder.ts";
import { hostileText, randomTrace } from "../support/random-trace.ts";
import { Connection, fails, got, ok, TraceBuilder } from "../support/trace-builder.ts";
import { bulk } from "../support/traces.ts";

const foldsOf = (t: TraceBuilder) => foldBulk(t.events).filter((each): each is Fold => each.kind === "fold");

/** So many segments with data, each delivered, and read. */
function transfer(t: TraceBuilder, connection: Connection, count: number): void {
  for (let i = 0; i < count; i++) {
    connection.pass("client", ["PSH", "ACK"], { length: 100 });
    t.call("server", { name: "read", fd: 4, length: 100 }, got("x".repeat(100)));
  }
}

test("no event is lost, and none comes twice", () => {
  const isWhole = ({ events }: Trace) => {
    expect(foldBulk(events).flatMap((each) => (each.kind === "fold" ? each.events : [each]))).toEqual(events);
  };
  isWhole(bulk(8, 128));
  fc.assert(fc.property(randomTrace(hostileText), isWhole));
});

test("a fold knows what was sent, each way, and which calls moved it", () => {
  const t = new TraceBuilder();
  const connection = new Connection(t);
  transfer(t, connection, 20);
  connection.pass("server", ["ACK"]);
  const [fold] = foldsOf(t);
  expect(fold!.traffic.map(trafficLabel)).toEqual(["20 segments, 2,000 bytes", "1 segment"]);
  expect([...fold!.calls].map(([host, calls]) => [host, ...callCountLabels(calls)])).toEqual([["server", "20 × read"]]);
});

test.each([
  ["fails", fails("ECONNRESET")],
  ["finds the end", got("")],
])("a read that %s is not folded", (_, result) => {
  const t = new TraceBuilder();
  const connection = new Connection(t);
  transfer(t, connection, 8);
  t.call("server", { name: "read", fd: 4, length: 100 }, result);
  transfer(t, connection, 8);
  expect(foldBulk(t.events).map(({ kind }) => kind)).toEqual(["fold", "call", "return", "fold"]);
});

test("a call that never returns is not folded, one that waits for the transfer stands before it", () => {
  const t = new TraceBuilder();
  const connection = new Connection(t);
  const write = t.begins("client", { name: "write", fd: 3, data: { repeat: "x", length: 2000 } });
  transfer(t, connection, 8);
  t.begins("client", { name: "read", fd: 3, length: 1 });
  transfer(t, connection, 8);
  t.state("server/2", "ESTABLISHED", "CLOSE-WAIT");
  t.returns("client", write, ok(2000));
  expect(foldBulk(t.events).map(({ kind }) => kind)).toEqual(["call", "fold", "call", "fold", "state", "return"]);
});

test("a storm of pure ACKs is folded", () => {
  const t = new TraceBuilder();
  const connection = new Connection(t);
  for (let i = 0; i < 15; i++) connection.pass("client", ["ACK"]);
  expect(foldsOf(t)).toEqual([]);
  connection.pass("server", ["ACK"]);
  expect(foldsOf(t)).toHaveLength(1);
});

test.each(["dropped", "held", "modified", "duplicated"] as const)(
  "what the wire has %s is shown on its own",
  (fate) => {
    const t = new TraceBuilder();
    const connection = new Connection(t);
    transfer(t, connection, 8);
    t.fate(connection.send("client", ["ACK"], { length: 100 }), fate);
    transfer(t, connection, 8);
    expect(foldBulk(t.events).map(({ kind }) => kind)).toEqual(["fold", "segment", "segment", "fold"]);
  },
);

test("a closed window is shown on its own, a delay is counted", () => {
  const t = new TraceBuilder();
  const connection = new Connection(t);
  transfer(t, connection, 8);
  connection.pass("server", ["ACK"], { window: 0 });
  transfer(t, connection, 8);
  const late = connection.send("client", ["ACK"], { length: 100 });
  t.fate(late, "delayed", { byUs: 20_000 });
  t.wait(20);
  connection.arrived(late, "client");
  const [, , , second] = foldBulk(t.events);
  expect(second?.kind === "fold" && second.traffic.map(trafficLabel)).toEqual(["9 segments, 900 bytes, 1 delayed"]);
});

test("a segment that is sent in one run and arrives in another goes on between them", () => {
  const t = new TraceBuilder();
  const connection = new Connection(t);
  const early = connection.send("client", ["ACK"], { length: 7 });
  t.state("client/1", "ESTABLISHED", "FIN-WAIT-1");
  transfer(t, connection, 8);
  t.fate(early, "delivered", { host: "server" });
  const late = connection.send("client", ["ACK"], { length: 5 });
  t.state("client/1", "FIN-WAIT-1", "FIN-WAIT-2");
  t.fate(late, "delivered", { host: "server" });
  const text = drawLadder(t.trace, { width: 120, colour: false });
  expect(text).not.toContain("under way at the end");
  expect(text).toMatch(/│─+ ACK 1:8 \(7 bytes\) ─+╮ #1 │/);
  expect(text).toContain("… 9 segments, 805 bytes →");
  expect(text).toMatch(/│ #10 ╰─+ ACK 808:813 \(5 bytes\) ─+▶│/);
});
