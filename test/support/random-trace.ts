/** Traces that nobody would have thought of. */
import fc from "fast-check";
import type { Call } from "../../src/call/call.ts";
import { STATES } from "../../src/codec/state.ts";
import { TCP_FLAGS } from "../../src/codec/tcp.ts";
import type { CallResult, SegmentFate, Trace } from "../../src/trace/trace.ts";
import { Connection, fails, ok, TraceBuilder } from "./trace-builder.ts";

/** Text that would like to be more than text. */
export const hostileText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.constantFrom(
    "\u001b[2J",
    "a\rb",
    "one\ntwo",
    "\u202egnp",
    "\u009b31m",
    "\t",
    "日本語 テスト",
    "e\u0301",
    "\\x1b[0m",
  ),
  fc.lorem({ maxCount: 12 }),
);

const host = fc.constantFrom("client" as const, "server" as const);
const hostOrOther = fc.constantFrom("client", "server", "third");
const fd = fc.nat({ max: 9 });

function call(text: fc.Arbitrary<string>): fc.Arbitrary<Call> {
  const address = fc.oneof(fc.constantFrom("10.9.0.2", "0.0.0.0", "::1"), text);
  const port = fc.nat({ max: 65535 });
  return fc.oneof<fc.Arbitrary<Call>[]>(
    fc.record({ name: fc.constant("socket" as const), family: fc.constantFrom("IPv4" as const, "IPv6" as const) }),
    fc.record({ name: fc.constantFrom("bind" as const, "connect" as const), fd, address, port }),
    fc.record({ name: fc.constantFrom("accept" as const, "close" as const, "poll" as const), fd }),
    fc.record({ name: fc.constant("read" as const), fd, length: fc.nat() }),
    fc.record({ name: fc.constant("write" as const), fd, data: text, more: fc.boolean() }),
    fc.record({ name: fc.constant("fork" as const), child: text }),
    fc.record({ name: fc.constant("exit" as const), status: fc.nat(255), by: fc.constant("exit" as const) }),
  );
}

function result(text: fc.Arbitrary<string>): fc.Arbitrary<CallResult> {
  return fc.oneof(
    fc.nat().map((value) => ok(value)),
    fc.constantFrom("EADDRINUSE" as const, "ECONNRESET" as const).map(fails),
    fc.tuple(fc.nat(), text).map(([length, head]) => ok(length, { data: { length, head } })),
    fc.record({ address: text, port: fc.nat() }).map((endpoint) => ok(4, { endpoint })),
  );
}

const fate = fc.constantFrom<SegmentFate>(
  "delivered",
  "delivered",
  "delivered",
  "dropped",
  "held",
  "released",
  "delayed",
  "duplicated",
  "modified",
  "expired",
);
const state = fc.constantFrom(...STATES.map(({ rfc }) => rfc));

type Act = (t: TraceBuilder, open: { calls: [string, number][]; segments: number[]; connection: Connection }) => void;

function act(text: fc.Arbitrary<string>): fc.Arbitrary<Act> {
  const segment = fc.record({
    from: host,
    flags: fc.subarray([...TCP_FLAGS]),
    length: fc.oneof(fc.constant(0), fc.nat(1448)),
    window: fc.constantFrom(0, 502),
  });
  return fc.oneof<fc.Arbitrary<Act>[]>(
    fc.tuple(hostOrOther, call(text)).map(
      ([who, made]) =>
        (t, { calls }) =>
          calls.push([who, t.begins(who, made)]),
    ),
    fc.tuple(result(text), fc.nat()).map(([what, which]) => (t, { calls }) => {
      const [chosen] = calls.splice(which % Math.max(1, calls.length), 1);
      if (chosen) t.returns(chosen[0], chosen[1], what);
    }),
    segment.map(({ from, flags, ...rest }) => (_, { connection, segments }) => {
      segments.push(connection.send(from, flags, rest));
    }),
    fc
      .record({ what: fate, which: fc.nat(), copy: fc.option(fc.constantFrom(2, 3), { nil: undefined }), rule: text })
      .map(({ what, which, copy, rule }) => (t, { segments }) => {
        const chosen = segments[which % Math.max(1, segments.length)] ?? 77;
        t.fate(chosen, what, { rule, byUs: 20_000, ...(copy && { copy }) });
      }),
    fc.record({ who: hostOrOther, i: fc.integer({ min: 1, max: 3 }), from: state, to: state }).map((change) => (t) => {
      t.state(`${change.who}/${change.i}`, change.from, change.to);
    }),
    fc.tuple(host, fc.constantFrom("retransmit", "timewait"), fc.constantFrom("started", "restarted", "expired")).map(
      ([who, kind, what]) =>
        (t) =>
          t.timer(`${who}/1`, kind, what, 200),
    ),
    fc.tuple(fc.constantFrom("story", "process", "output", "setting", "expectation"), text, fc.option(hostOrOther)).map(
      ([about, words, who]) =>
        (t) =>
          t.note(about, words, who === null ? {} : { host: who, process: words }),
    ),
    fc.nat(3000).map((ms) => (t) => void t.wait(ms)),
  );
}

/** A run in which anything may happen, told in `text`. */
export function randomTrace(text: fc.Arbitrary<string>): fc.Arbitrary<Trace> {
  return fc
    .record({
      acts: fc.array(act(text), { maxLength: 80 }),
      id: text,
      title: text,
      claims: fc.array(text),
      because: text,
    })
    .map(({ acts, id, title, claims, because }) => {
      const t = new TraceBuilder({ id, title, claims, article: because }, ["client", "server", "third"]);
      const open = { calls: [], segments: [], connection: new Connection(t) };
      for (const step of acts) step(t, open);
      return t.verdict("partly", because);
    });
}
