/** Stored traces come from anywhere: what is no trace is told, with the place, and nothing is ever thrown. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { readTrace } from "../../src/trace/schema.ts";
import { drawLadder } from "../../src/view/ladder/ladder.ts";
import { formatPacketdrill } from "../../src/view/packetdrill.ts";
import { toPcapng } from "../../src/view/capture.ts";
import { sampleTraces } from "../support/traces.ts";

const all = sampleTraces().map((trace) => [trace.experiment.id, trace] as const);

test.each(all)("%s, stored and read again, is the same", (_, trace) => {
  expect(readTrace(JSON.stringify(trace))).toEqual({ ok: true, trace });
});

const [, sample] = all[0]!;
const stateEvent = sample.events.findIndex(({ kind }) => kind === "state");

/** The sample with another value at a path; without one, with nothing there. */
function changed(path: readonly (string | number)[], value: unknown): unknown {
  const copy: unknown = structuredClone(sample);
  const parent = path.slice(0, -1).reduce((at, key) => (at as Record<string | number, unknown>)[key], copy);
  (parent as Record<string | number, unknown>)[path.at(-1)!] = value;
  return copy;
}

test.each([
  ["another schema", ["schema"], 2, "schema"],
  ["no events", ["events"], undefined, "events"],
  ["an event of no kind", ["events", 0, "kind"], "miracle", "events.0.kind"],
  ["an unknown state", ["events", stateEvent, "to"], "ASLEEP", "to"],
  ["an event out of order", ["events", 1, "n"], 7, "events.1.n"],
  ["a cause that comes later", ["events", 0, "cause"], 99, "events.0.cause"],
  ["a host that there is none of", ["hosts"], [], "host"],
])("%s is refused, and the place is named", (_, path, value, where) => {
  const read = readTrace(JSON.stringify(changed(path, value)));
  expect(read.ok).toBe(false);
  if (!read.ok) expect(read.where).toContain(where);
});

test.each([
  ["nothing", ""],
  ["half a file", JSON.stringify(sample).slice(0, 500)],
  ["a number", "7"],
  ["null", "null"],
])("%s is refused", (_, text) => expect(readTrace(text).ok).toBe(false));

/** All places of a document where there is a value. */
function* places(value: unknown, path: (string | number)[] = []): Generator<(string | number)[]> {
  yield path;
  if (typeof value !== "object" || value === null) return;
  for (const [key, part] of Object.entries(value)) yield* places(part, [...path, key]);
}

const everywhere = [...places(sample)].filter((path) => path.length > 0);

test("whatever is changed in a trace, it is refused or every view draws it", () => {
  const junk = fc.oneof(fc.jsonValue(), fc.constantFrom("", "\u001b[2J", "deadbeef", -1, 2 ** 40, "ESTABLISHED", null));
  fc.assert(
    fc.property(fc.constantFrom(...everywhere), junk, (path, value) => {
      const read = readTrace(JSON.stringify(changed(path, value)));
      if (!read.ok) return;
      expect(drawLadder(read.trace, { width: 80, colour: false })).not.toContain("\u001b");
      formatPacketdrill(read.trace);
      toPcapng(read.trace, 0n);
    }),
    { numRuns: 500 },
  );
});
