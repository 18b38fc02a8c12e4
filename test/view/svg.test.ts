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
import * as traces from "../support/page-traces.ts";
import { TraceBuilder } from "../support/page-builder.ts";

const DONE = { status: "done", verdict: { holds: "yes", because: "" } } as const;
const builder = () => new TraceBuilder("id", "A title");

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
  test.each(traces.pageTraces().map((trace) => [trace.experiment.id, trace] as const))("%s", (_, trace) => {
    const [root, ...elements] = readMarkup(drawSvg(trace));
    expect(root).toMatchObject({ name: "svg", attributes: { role: "img", xmlns: "http://www.w3.org/2000/svg" } });
    expect(elements[0]).toMatchObject({ name: "title", attributes: { id: "ladder-title" } });
    expect(elements[1]!.name).toBe("desc");
    expect(elements.every(({ name }) => ["script", "image", "a", "use"].includes(name) === false)).toBe(true);
  });

  test("a close, from the handshake to the port that is free again", () => {
    const texts = textsOf(traces.normalClose());
    for (const expected of [
      "client",
      "10.9.0.2",
      "A server listens, a client connects",
      "net.ipv4.tcp_tw_reuse = 0",
      "server accept waits",
      "SYN,ACK",
      "server accept =\u00a04 10.9.0.1:40312",
      "PSH,ACK 1:13 (12 bytes)",
      "server prints “client said: I am",
      "2.0 s pass",
      "FIN,ACK seq 1 ack 13",
      "FIN-WAIT-2",
      "TIME-WAIT",
      "60.0 s left",
      "=\u00a0EADDRINUSE (98)",
      "server/2 TIME-WAIT timer fired",
      "bind succeeds once TIME-WAIT is over",
    ])
      expect(texts).toContain(expected);
  });

  test("what the wire did is said, with its rule", () => {
    const { wire } = layoutOf(traces.oldDuplicate());
    expect(wire.texts.map(({ runs }) => textOf(runs))).toEqual([
      "duplicated, copy 2 (copy the first data)",
      "held, copy 2 (hold the copy)",
      "released, copy 2 (hold the copy)",
      "expired: its hops ran out",
      "modified: RST 1:6 (5 bytes)",
      "held (hold the last)",
    ]);
  });
});

describe("ways of segments", () => {
  test("a lost one ends on the wire, one that is held waits there and goes on, a copy forks off", () => {
    const b = builder();
    const lost = b.sends({ from: "client", flags: ["SYN"], seq: 7 });
    b.wire(lost, "dropped");
    const copied = b.sends({ from: "client", flags: ["SYN"], seq: 7 });
    b.wire(copied, "duplicated", { copy: 2 }).wire(copied, "held", { copy: 2 }).arrives(copied);
    b.after(1_000_000).wire(copied, "released", { copy: 2 }).arrives(copied, 2);
    const { flights } = layoutOf(b.trace(DONE)).wire;
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
    const { rows } = makeRows(traces.bulk(10_000).events);
    const folds = rows.flatMap((row) => (row.kind === "fold" ? [row.fold] : []));
    // One is lost, and sent again.
    const data = folds.map(({ traffic }) => traffic[0]!);
    expect(data.map(({ segments }) => segments)).toEqual([5000, 5000]);
    expect(data.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(10_000 * 1448);
    expect(rows.length).toBeLessThan(40);
    expect(textsOf(traces.bulk(10_000))).toContain("… 5,000 segments, 7,240,000 bytes →");
  });

  test("seven segments with data are shown one by one, eight are folded", () => {
    const folds = [7, 8].map((count) => {
      const b = builder();
      for (let i = 0; i < count; i++) b.passes({ from: "client", flags: ["ACK"], seq: i, length: 1 });
      return makeRows(b.trace(DONE).events).rows.map(({ kind }) => kind);
    });
    expect(folds).toEqual([Array.from({ length: 14 }, () => "moment"), ["fold"]]);
  });

  test("a call that never returns waits", () => {
    const b = builder();
    b.call("server", { name: "accept", fd: 3 });
    b.call("client", { name: "exit", status: 0, by: "exit" });
    expect(textsOf(b.trace(DONE))).toEqual(expect.arrayContaining(["server accept waits", "client exit 0"]));
  });

  test("a call that returns at once, but after something has arrived, has waited for that", () => {
    const b = builder();
    const read = b.call("server", { name: "read", fd: 3, length: 9 });
    b.after(1).passes({ from: "client", flags: ["ACK"], seq: 1, length: 2 }, 1);
    b.returns(read, { value: 2, data: { length: 2, head: "hi" } });
    const texts = textsOf(b.trace(DONE));
    expect(texts).toEqual(expect.arrayContaining(["server read waits", 'server read =\u00a02 "hi"']));
  });
});

test("sockets share a lane one after the other, and listeners are outside of connections", () => {
  const trace = traces.normalClose();
  const { bands, counts } = makeLanes(trace, makeRows(trace.events));
  expect(Object.fromEntries(bands.map(({ socket, lane }) => [socket, lane]))).toEqual({
    "client/1": 0,
    "server/1": 1,
    "server/2": 0,
    "server/3": 0,
  });
  expect(counts).toEqual([1, 2]);
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

describe("any trace", () => {
  const step = fc.record({
    act: fc.constantFrom(
      "send",
      "send",
      "deliver",
      "deliver",
      "hold",
      "release",
      "drop",
      "copy",
      "state",
      "call",
      "note",
    ),
    host: fc.constantFrom("client", "server"),
    pick: fc.nat(20),
    us: fc.constantFrom(0, 5, 3000, 400_000),
    length: fc.constantFrom(0, 0, 5, 1_000_000_000),
  });

  /** Takes the steps that make sense, on segments that may already have ended. */
  function traceOf(steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[]): Trace {
    const b = builder();
    let segments = 0;
    const states = ["ESTABLISHED", "FIN-WAIT-1", "TIME-WAIT", "CLOSED", "LISTEN"] as const;
    for (const { act, host, pick, us, length } of steps) {
      b.after(us);
      const flags = (["SYN", "FIN", "RST", "ACK"] as const).filter((_, bit) => pick & (1 << bit));
      const segment = 1 + (pick % Math.max(segments, 1));
      if (act === "send") segments = b.sends({ from: host, flags, seq: pick * 1e8, length });
      else if (act === "state") b.state(`${host}/${pick % 4}`, states[pick % 5]!);
      else if (act === "call") b.does(host, { name: "close", fd: pick });
      else if (act === "note") b.note("story", "word ".repeat(pick));
      else if (segments === 0) continue;
      else if (act === "deliver") b.arrives(segment);
      else if (act === "hold") b.wire(segment, "held", { rule: "rule ".repeat(pick) });
      else if (act === "release") b.wire(segment, "released");
      else if (act === "drop") b.wire(segment, "dropped");
      else b.wire(segment, "duplicated", { copy: 2 + (pick % 3) });
    }
    return b.trace(DONE);
  }

  test("is drawn, with labels that do not meet, inside of the wire", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const trace = traceOf(steps);
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
});

test("without events there are still two hosts", () => {
  expect(textsOf(builder().trace(DONE))).toEqual(["A title", "client", "10.9.0.1", "server", "10.9.0.2"]);
});
