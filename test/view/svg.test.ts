import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeWire } from "../../src/view/svg/flights.ts";
import { box, meet } from "../../src/view/svg/geometry.ts";
import { makeLanes } from "../../src/view/svg/lanes.ts";
import { makeLayout } from "../../src/view/svg/layout.ts";
import { makeRows } from "../../src/view/svg/rows.ts";
import { drawSvg } from "../../src/view/svg/svg.ts";
import { cells, textOf, wrap } from "../../src/view/svg/text.ts";
import { boxOfLabel, makeWays } from "../../src/view/svg/ways.ts";
import type { Trace } from "../../src/trace/trace.ts";
import { readMarkup } from "../support/markup.ts";
import { randomTrace } from "../support/random-trace.ts";
import { Connection, got, ok, TraceBuilder } from "../support/trace-builder.ts";
import * as traces from "../support/traces.ts";

/** The lines of text of a ladder as a reader sees them, without hints. */
function textsOf(trace: Trace): string[] {
  const drawn = drawSvg(trace).replace(/(<text[^>]*>)<title>[^<]*<\/title>/g, "$1");
  return readMarkup(drawn)
    .filter(({ name }) => name === "text")
    .map(({ text }) => text);
}

function layoutOf(trace: Trace) {
  const rows = makeRows(trace.events);
  const wire = makeWire(trace, rows);
  const layout = makeLayout(trace, rows, wire, () => 0);
  return { rows, wire, layout, ways: makeWays(layout, wire.flights) };
}

describe("a ladder is well-formed and shows what happened", () => {
  test.each(traces.sampleTraces().map((trace) => [trace.experiment.id, trace] as const))("%s", (_, trace) => {
    const [root, ...elements] = readMarkup(drawSvg(trace));
    expect(root).toMatchObject({ name: "svg", attributes: { role: "img", xmlns: "http://www.w3.org/2000/svg" } });
    expect(elements[0]).toMatchObject({ name: "title", attributes: { id: "ladder-title" } });
    expect(elements[1]!.name).toBe("desc");
    expect(elements.every(({ name }) => ["script", "image", "a", "use"].includes(name) === false)).toBe(true);
  });

  test("a close, from the handshake to the port that is free again", () => {
    const texts = textsOf(traces.restart());
    for (const expected of [
      "client",
      "10.9.0.2",
      "The server takes a connection, and both say who they are",
      "net.ipv4.tcp_tw_reuse = 0",
      "server starts",
      "server accept waits",
      "SYN,ACK",
      "server accept =\u00a04 10.9.0.1:40000",
      "PSH,ACK 1:12 (11 bytes)",
      "server prints “client says: I am",
      "1.0 s pass",
      "FIN,ACK seq 12 ack 12",
      "FIN-WAIT-2",
      "TIME-WAIT",
      "60.0 s left",
      "=\u00a0EADDRINUSE (98)",
      "server/2 TIME-WAIT timer fired",
      "bind succeeds with SO_REUSEADDR",
    ])
      expect(texts).toContain(expected);
  });

  test("what the wire did is said, with its rule", () => {
    const { wire } = layoutOf(traces.oldDuplicate());
    expect(wire.texts.map(({ runs }) => textOf(runs))).toEqual([
      "duplicated, copy 2 (copy the first data)",
      "held, copy 2 (hold the copy)",
      "released, copy 2 (hold the copy)",
      "delayed 200 ms",
      "modified: ACK 104",
      "expired: no hops left",
    ]);
  });
});

describe("ways of segments", () => {
  test("a lost one ends on the wire, one that is held waits there and goes on, a copy forks off", () => {
    const t = new TraceBuilder();
    const connection = new Connection(t);
    t.fate(connection.send("client", ["SYN"]), "dropped");
    const copied = connection.send("client", ["SYN"], { seq: 0 });
    t.fate(copied, "duplicated", { copy: 2 });
    t.fate(copied, "held", { copy: 2 });
    connection.arrived(copied, "client");
    t.wait(1000).fate(copied, "released", { copy: 2 });
    t.fate(copied, "delivered", { copy: 2, host: "server" });
    const { flights } = layoutOf(t.trace).wire;
    const shape = flights.map(({ end, stops }) => [end, ...stops.map(({ at, line }) => `${at} ${line}`)]);
    expect(shape).toEqual([
      ["lost", "sender solid", "gutter solid"],
      ["arrived", "sender solid", "gutter solid", "receiver solid"],
      ["arrived", "gutter solid", "gutter solid", "gutter waiting", "receiver dashed"],
    ]);
  });

  test("FINs of a simultaneous close cross", () => {
    const { ways } = layoutOf(traces.simultaneousClose());
    const [one, two] = ways.filter(({ flight }) => flight.meaning === "close");
    const span = (way: typeof one) => [way!.points[0]!, way!.points.at(-1)!] as const;
    const [[a, b], [c, d]] = [span(one), span(two)];
    expect(a.x).toBe(d.x);
    expect(a.y).toBeLessThan(d.y);
    expect(b.x).toBe(c.x);
    expect(b.y).toBeGreaterThan(c.y);
  });
});

describe("rows", () => {
  test("bulk transfer is folded, all else is not", () => {
    const trace = traces.bulk(16, 255);
    const { rows } = makeRows(trace.events);
    const data = rows.flatMap((row) => (row.kind === "fold" ? [row.fold.traffic[0]!] : []));
    // One is lost, and sent again.
    expect(data.map(({ segments }) => segments)).toEqual([255, 257]);
    expect(data.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(16 * 1_048_576);
    expect(rows.length).toBeLessThan(40);
    expect(textsOf(trace)).toContain("… 255 segments, 8,355,840 bytes →");
  });

  test("seven segments with data are shown one by one, eight are folded", () => {
    const folds = [7, 8].map((count) => {
      const t = new TraceBuilder();
      const connection = new Connection(t);
      for (let i = 0; i < count; i++) connection.pass("client", ["ACK"], { length: 1 });
      return makeRows(t.events).rows.map(({ kind }) => kind);
    });
    expect(folds).toEqual([Array.from({ length: 14 }, () => "moment"), ["fold"]]);
  });

  test("a call that never returns waits", () => {
    const t = new TraceBuilder();
    t.begins("server", { name: "accept", fd: 3 });
    t.begins("client", { name: "exit", status: 0, by: "exit" });
    expect(textsOf(t.trace)).toEqual(expect.arrayContaining(["server accept waits", "client exit 0"]));
  });

  test("a call that returns at once, but after something has arrived, has waited for that", () => {
    const t = new TraceBuilder();
    const read = t.begins("server", { name: "read", fd: 3, length: 9 });
    new Connection(t).pass("client", ["ACK"], { data: "hi" });
    t.returns("server", read, got("hi"));
    expect(textsOf(t.trace)).toEqual(expect.arrayContaining(["server read waits", 'server read =\u00a02 "hi"']));
  });

  test("close, which does not wait, has its result beside it, also if the peer was faster than its return", () => {
    const t = new TraceBuilder();
    const connection = new Connection(t);
    const close = t.begins("client", { name: "close", fd: 3 });
    connection.pass("client", ["FIN", "ACK"]);
    connection.pass("server", ["ACK"]);
    t.returns("client", close, ok());
    expect(textsOf(t.trace).filter((text) => text.includes("close"))).toEqual(["client close 3 =\u00a00"]);
  });
});

test("sockets share a lane one after the other, and listeners are outside of connections", () => {
  const t = new TraceBuilder();
  t.stepUs = 5000; // a row each
  t.state("server/1", "CLOSED", "LISTEN");
  t.state("server/2", "CLOSED", "ESTABLISHED");
  t.state("server/2", "ESTABLISHED", "CLOSED");
  t.state("server/3", "CLOSED", "ESTABLISHED");
  t.state("server/4", "CLOSED", "ESTABLISHED");
  t.state("client/1", "CLOSED", "ESTABLISHED");
  const { bands, counts } = makeLanes(t.trace, makeRows(t.events));
  expect(Object.fromEntries(bands.map(({ socket, lane }) => [socket, lane]))).toEqual({
    "server/1": 2,
    "server/2": 0,
    "server/3": 0,
    "server/4": 1,
    "client/1": 0,
  });
  expect(counts).toEqual([1, 3]);
});

test("with a third host, segments still cross between the two that talk first", () => {
  const t = new TraceBuilder({}, ["observer", "client", "server"]);
  new Connection(t).pass("client", ["SYN"]);
  const { layout, ways } = layoutOf(t.trace);
  expect(ways.map(({ points }) => [points[0]!.x, points.at(-1)!.x])).toEqual([[...layout.lifeX]]);
  expect(ways[0]!.flight.side).toBe(0);
});

test("hostile text is shown, and does nothing", () => {
  const drawn = drawSvg(traces.crowded());
  expect(drawn).not.toMatch(/<script|<img|onerror=[^a]/);
  // eslint-disable-next-line no-control-regex
  expect(drawn).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  const texts = readMarkup(drawn).map(({ text }) => text);
  expect(texts.some((text) => text.includes("\\u202egnp.exe & \"quoted\" 'name' of a program"))).toBe(true);
  expect(texts.some((text) => text.includes("\\x1b[31mred\\x1b[0m ]]> <!-- -->"))).toBe(true);
  expect(texts.some((text) => text.includes("日本語のとても長い行 \\uffff \\ud800 😀"))).toBe(true);
});

test("lines are as wide as they may be, and lose nothing but their end", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "bc", " ", "日", "😀", "-----"), maxLength: 60 });
  const runs = fc.array(fc.record({ text, look: fc.constantFrom("x", "y") }), { maxLength: 5 });
  fc.assert(
    fc.property(runs, fc.integer({ min: 3, max: 30 }), fc.integer({ min: 1, max: 5 }), (given, room, most) => {
      const lines = wrap(given, room, most).map(textOf);
      expect(lines.length).toBeLessThanOrEqual(most);
      for (const line of lines) expect(cells(line)).toBeLessThanOrEqual(room);
      const bare = (each: string) => each.replaceAll(" ", "");
      const all = bare(textOf(given));
      const kept = bare(lines.join(""));
      if (kept.endsWith("…")) expect(all.startsWith(kept.slice(0, -1))).toBe(true);
      else expect(kept).toBe(all);
    }),
  );
});

test("any trace is drawn, with labels that do not meet, inside of the wire", () => {
  const text = fc.oneof(fc.constantFrom("one", "two words"), fc.lorem({ maxCount: 12 }));
  fc.assert(
    fc.property(randomTrace(text), (trace) => {
      readMarkup(drawSvg(trace));
      const { layout, ways } = layoutOf(trace);
      const labels = ways.flatMap(({ flight, label }) => (label ? [boxOfLabel(flight, label)] : []));
      for (const { wire, top, y } of layout.boxes) {
        if (!wire) continue;
        const [left, right] =
          wire.side === 0 ? [layout.lifeX[0], layout.gutter.left] : [layout.gutter.right, layout.lifeX[1]];
        labels.push(box(left + 1, top + 2, right - 1, y - 2));
      }
      for (const [i, label] of labels.entries()) {
        expect(labels.slice(i + 1).some((other) => meet(label, other))).toBe(false);
        for (const { x } of label) {
          expect(x).toBeGreaterThan(layout.lifeX[0]);
          expect(x).toBeLessThan(layout.lifeX[1]);
        }
      }
    }),
    { numRuns: 150 },
  );
});

test("without events there are still two hosts", () => {
  expect(textsOf(new TraceBuilder({ title: "A title" }).trace)).toEqual([
    "A title",
    "client",
    "10.9.0.1",
    "server",
    "10.9.0.2",
  ]);
});
