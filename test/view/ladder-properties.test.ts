/** What is true of every ladder. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { composeRows } from "../../src/view/ladder/compose.ts";
import { drawLadder } from "../../src/view/ladder/ladder.ts";
import type { Step } from "../../src/view/ladder/rows.ts";
import { lifeLines } from "../../src/view/sides.ts";
import { formatPacketdrill } from "../../src/view/packetdrill.ts";
import { drawSummary } from "../../src/view/summary.ts";
import { hostileText, randomTrace } from "../support/random-trace.ts";
import type { Trace, TraceEvent } from "../../src/trace/trace.ts";

const harmless = fc.constantFrom("one", "two", "three four");
const width = fc.oneof(fc.constantFrom(80, 100, 140), fc.integer({ min: 1, max: 200 }));
const ESC = String.fromCharCode(27);
const SGR = new RegExp(`${ESC}\\[\\d+m`, "g");

/** Columns, counted in another way than the ladder does: by script. Random text of any script is not asked for them. */
function columns(line: string): number {
  return [...line]
    .filter((c) => !/\p{M}/u.test(c))
    .reduce((sum, c) => sum + (/[\p{sc=Han}\p{sc=Katakana}]/u.test(c) ? 2 : 1), 0);
}

test("no line is longer than the terminal is wide", () => {
  const text = fc.oneof(harmless, fc.lorem({ maxCount: 20 }), fc.constantFrom("日本語 テスト", "e\u0301e\u0301 x"));
  fc.assert(
    fc.property(randomTrace(text), width, fc.boolean(), (trace, columnCount, unicode) => {
      for (const line of drawLadder(trace, { width: columnCount, colour: false, unicode }).split("\n")) {
        expect(columns(line), line).toBeLessThanOrEqual(columnCount);
      }
      for (const line of drawSummary(trace, { width: columnCount, unicode }).split("\n")) {
        expect(columns(line), line).toBeLessThanOrEqual(columnCount);
      }
    }),
  );
});

test("colour only adds colour, and without it there is no escape sequence", () => {
  fc.assert(
    fc.property(randomTrace(hostileText), width, (trace, columnCount) => {
      const plain = drawLadder(trace, { width: columnCount, colour: false });
      expect(plain).not.toContain(ESC);
      expect(drawLadder(trace, { width: columnCount, colour: true }).replace(SGR, "")).toBe(plain);
      const summary = drawSummary(trace, { width: columnCount });
      expect(drawSummary(trace, { width: columnCount, colour: true }).replace(SGR, "")).toBe(summary);
    }),
  );
});

test("nothing that others wrote controls the terminal", () => {
  fc.assert(
    fc.property(randomTrace(hostileText), (trace) => {
      const texts = [
        drawLadder(trace, { width: 100, colour: false }),
        drawSummary(trace),
        formatPacketdrill(trace, { host: "client" }),
      ];
      for (const text of texts) expect(text).not.toMatch(/(?!\n)\p{Cc}|[\u200b-\u200f\u2028-\u202e\u2066-\u2069]/u);
    }),
  );
});

test("without Unicode there is nothing but ASCII", () => {
  fc.assert(
    fc.property(randomTrace(hostileText), width, (trace, columnCount) => {
      expect(drawLadder(trace, { width: columnCount, colour: false, unicode: false })).toMatch(/^[\n\u0020-\u007e]*$/);
    }),
  );
});

function count(trace: Trace, isCounted: (event: TraceEvent) => boolean): number {
  return trace.events.filter(isCounted).length;
}

test("every segment, arrival, call and state of the two hosts is in a row of its side", () => {
  fc.assert(
    fc.property(randomTrace(harmless), (trace) => {
      const steps = composeRows(trace, trace.events).filter((row): row is Step => row.kind === "step");
      const pieces = steps.flatMap(({ piece }) => piece ?? []);
      const lines = lifeLines(trace);
      for (const side of ["left", "right"] as const) {
        const here = lines[side];
        expect(pieces.filter(({ from, tail }) => from === side && tail === "host")).toHaveLength(
          count(trace, (event) => event.kind === "segment" && event.fate === "sent" && event.host === here),
        );
        const items = steps.flatMap((step) => step[side]);
        expect(items.filter(({ isState }) => isState)).toHaveLength(
          count(trace, (event) => event.kind === "state" && event.host === here),
        );
        for (const event of trace.events) {
          if (event.kind !== "call" || event.host !== here) continue;
          expect(items.some(({ texts }) => ` ${texts[0]}`.includes(` ${event.call.name}`))).toBe(true);
        }
      }
      const known = new Set(
        trace.events.flatMap((event) => (event.kind === "segment" && event.packet ? event.segment : [])),
      );
      expect(pieces.filter(({ head }) => head === "delivered")).toHaveLength(
        count(trace, (event) => event.kind === "segment" && event.fate === "delivered" && known.has(event.segment)),
      );
    }),
  );
});

test("what is in a row is drawn: each arrival has its arrowhead, each state its name, each call its name", () => {
  fc.assert(
    fc.property(randomTrace(harmless), fc.constantFrom(80, 100, 140), (trace, columnCount) => {
      const rows = composeRows(trace);
      fc.pre(rows.every(({ kind }) => kind !== "fold"));
      const text = drawLadder(trace, { width: columnCount, colour: false });
      const pieces = rows.flatMap((row) => (row.kind === "step" ? (row.piece ?? []) : []));
      expect(text.match(/[▶◀]/g) ?? []).toHaveLength(pieces.filter(({ head }) => head === "delivered").length);
      for (const event of trace.events) {
        if (event.kind === "state") expect(text).toContain(`→ ${event.to}`);
        if (event.kind === "call") expect(text).toContain(event.call.name);
      }
    }),
    { numRuns: 300 },
  );
});
