/** A counterexample as a trace: gone by the hosts themselves, and the same story as the model world's own run. */
import { expect, test } from "vitest";
import type { Call, Result } from "../../../src/call/call.ts";
import { PROFILE, settingOf, type Question } from "../../../src/prove/question.ts";
import { CLIENT, LENGTH, SERVER } from "../../../src/prove/programs.ts";
import { ASSUMPTIONS, QUESTIONS } from "../../../src/prove/questions.ts";
import { search } from "../../../src/prove/search.ts";
import { readTrace } from "../../../src/trace/schema.ts";
import type { Trace, TraceEvent } from "../../../src/trace/trace.ts";
import { traceOf } from "../../../src/world/model/counterexample.ts";
import { ModelWorld } from "../../../src/world/model/model-world.ts";
import { PLAIN } from "../../../src/world/model/settings.ts";

function traceWithout(id: string, without: string): Trace {
  const question: Question = ASSUMPTIONS.find((one) => one.id === without)!.drop(
    QUESTIONS.find((named) => named.id === id)!.question,
  );
  const setting = settingOf(question);
  const found = search(setting.system, 5e8);
  if (found.status !== "violated") throw new Error(found.status);
  const experiment = { id, title: id, claims: [], article: id };
  return traceOf(setting, found.counterexample, experiment, found.counterexample.because);
}

/** What one host's programs and sockets go through. */
function storyOf(events: readonly TraceEvent[], host: string): string[] {
  return events.flatMap((event) => {
    if (event.kind === "return" && event.host === host) {
      const call = events[event.cause - 1] as TraceEvent & { kind: "call" };
      return [`${call.call.name} ${event.result.ok ? event.result.value : event.result.code}`];
    }
    return event.kind === "state" && event.host === host ? [`${event.from} → ${event.to}`] : [];
  });
}

const sentOf = (events: readonly TraceEvent[]) =>
  events.flatMap((event) => (event.kind === "segment" && event.packet ? [`${event.host} ${event.packet.flags}`] : []));

test("the last ACK lost, and no TIME-WAIT: the model world, told the same, tells the same", () => {
  const { events } = traceWithout("last-ack-lost", "time-wait");
  const world = new ModelWorld({
    ...PLAIN,
    profile: PROFILE,
    connection: { timeWaitUs: 0 },
    parameters: { "net.ipv4.tcp_timestamps": "0" },
  });
  for (const name of ["client", "server"]) {
    world.addHost({ name });
    world.startProcess({ name, host: name });
  }
  const make = (who: string, call: Call): Result | undefined => {
    const pending = world.begin(who, call);
    world.settle();
    return pending.result;
  };
  // The calls in the order that the counterexample has them in.
  for (const event of events) {
    if (event.kind !== "call") continue;
    if (event.call.name === "getsockopt") break;
    if (event.call.name === "shutdown" && event.process === "server") {
      const match = { from: "client", has: ["ACK"], payload: false } as const;
      world.link.add({ name: "the last ACK", match, action: { do: "drop" }, times: 1 });
    }
    expect(make(event.process, event.call)).toMatchObject({ ok: true });
  }
  world.advance(2_000_000);
  expect(make("server", { name: "getsockopt", fd: 4, option: "SO_ERROR" })).toMatchObject({ value: 104 });
  for (const host of ["client", "server"]) {
    expect(storyOf(world.recorder.events, host)).toEqual(storyOf(events, host));
  }
  expect(sentOf(world.recorder.events)).toEqual(sentOf(events));
});

test.each([
  ["last-ack-lost", "time-wait", "dropped"],
  ["old-duplicate", "time-wait", "released"],
  ["last-ack-lost", "both-close", undefined],
])("%s without %s is a trace like any other, and tells what the network did", (id, without, fate) => {
  const trace = traceWithout(id, without);
  expect(readTrace(JSON.stringify(trace))).toMatchObject({ ok: true });
  const fates = new Set(trace.events.map((event) => (event.kind === "segment" ? event.fate : undefined)));
  if (fate) expect(fates).toContain(fate);
  expect(trace.hosts).toEqual([
    { name: "client", addresses: [CLIENT.address] },
    { name: "server", addresses: [SERVER.address] },
  ]);
  const written = trace.events.filter((event) => event.kind === "call" && event.call.name === "write");
  expect(written.length).toBeGreaterThan(0);
  for (const event of written) expect(event).toMatchObject({ call: { data: expect.stringMatching(`^.{${LENGTH}}$`) } });
});
