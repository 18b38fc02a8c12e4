/** The language itself: what a story is told when things are not as it expects. */
import { join } from "node:path";
import { afterEach, expect } from "vitest";
import { holds, type Experiment } from "../../src/lab/experiment.ts";
import type { Lab } from "../../src/lab/lab.ts";
import { connected } from "../../src/lab/openings.ts";
import { runExperiment } from "../../src/lab/run.ts";
import type { Story } from "../../src/lab/story.ts";
import type { NoteEvent, Trace } from "../../src/trace/trace.ts";
import { KernelWorld } from "../../src/world/kernel/kernel-world.ts";
import { processesWith } from "../cli/helpers.ts";
import { CLI } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";

const NEEDS = ["a network namespace"] as const;
const childScript = join(CLI, "../lab-process.cjs");

function tell(story: (lab: Lab) => Story<void>): Trace {
  const experiment: Experiment = {
    id: "a-story",
    title: "A story",
    claims: [],
    article: "",
    *story(lab) {
      yield* story(lab);
      return holds("it was told to its end");
    },
  };
  return runExperiment(experiment, new KernelWorld({ childScript }));
}

const expectations = ({ events }: Trace) =>
  events
    .filter((event): event is NoteEvent => event.kind === "note" && event.about === "expectation")
    .map(({ text, met }) => `${met ? "+" : "-"} ${text}`);

afterEach(() => new Promise(setImmediate));

testNeeding(NEEDS, "an expectation that is not met ends the story, and the trace says so", () => {
  const trace = tell(function* (lab) {
    yield* lab.hosts();
    lab.expect("one and one", 1 + 1, 2);
    lab.expect("the states", ["LISTEN"], ["LISTEN", "CLOSED"]);
    lab.expect("never asked", 1, 1);
  });
  expect(trace.outcome).toEqual({ status: "failed", reason: "the states: expected LISTEN, CLOSED, found LISTEN" });
  expect(expectations(trace)).toEqual(["+ one and one: 2", "- the states: LISTEN, not LISTEN, CLOSED"]);
});

testNeeding(NEEDS, "what does not come about in its time ends the story", () => {
  const trace = tell(function* (lab) {
    const { client } = yield* connected(lab);
    yield* client.socket.reaches("ESTABLISHED");
    yield* client.socket.reaches("CLOSE-WAIT", 50);
  });
  expect(trace.outcome).toEqual({ status: "failed", reason: "waited 0.05 s for: client/1 is in CLOSE-WAIT" });
  expect(expectations(trace)).toEqual(["+ client/1 is in ESTABLISHED", "- client/1 is in CLOSE-WAIT"]);
});

testNeeding(NEEDS, "a call that must succeed and does not ends the story, with the errno", () => {
  const trace = tell(function* (lab) {
    const { client } = yield* lab.hosts();
    const process = yield* client.process("client");
    const socket = yield* process.socket();
    yield* process.must({ name: "bind", fd: socket.fd, address: "192.0.2.1", port: 80 });
  });
  expect(trace.outcome).toEqual({ status: "failed", reason: "bind of client fails: EADDRNOTAVAIL (99)" });
});

testNeeding(NEEDS, "a call that blocks is told twice: when it is made, and when it returns", () => {
  const trace = tell(function* (lab) {
    const { client, server } = yield* connected(lab);
    const reading = yield* client.process.begin({ name: "read", fd: client.socket.fd, length: 10 });
    lab.expect("what read has returned", reading.result === undefined, true);
    yield* server.connection.write("now");
    const result = yield* client.process.finish(reading);
    lab.expect("how much it reads", result.ok && result.value, 3);
  });
  expect(trace.outcome.status).toBe("done");
  const call = trace.events.find((event) => event.kind === "call" && event.call.name === "read")!;
  const back = trace.events.find((event) => event.kind === "return" && event.cause === call.n)!;
  const delivered = trace.events.filter((event) => event.kind === "segment" && event.fate === "delivered");
  expect(delivered.some(({ n }) => n > call.n && n < back.n)).toBe(true);
});

testNeeding(NEEDS, "a mistake of the story's is no outcome: it is thrown, and nothing is left behind", () => {
  const mistake = function* (lab: Lab): Story<void> {
    const { server } = yield* connected(lab, { mortal: ["server"] });
    server.process.inherited(server.listener);
    throw new TypeError("a slip");
  };
  expect(() => tell(mistake)).toThrow("a slip");
  expect(processesWith(childScript)).toEqual([]);
});

testNeeding(NEEDS, "every event's cause comes before it, and is of the other host or the same", () => {
  const trace = tell(function* (lab) {
    const { client, server } = yield* connected(lab);
    yield* client.socket.write("a question");
    yield* server.connection.read();
    yield* server.connection.close();
    yield* client.socket.reaches("CLOSE-WAIT");
  });
  for (const { n, cause } of trace.events) if (cause !== undefined) expect(cause).toBeLessThan(n);
  const byNumber = (n: number) => trace.events[n - 1]!;
  for (const event of trace.events) {
    if (event.kind === "segment" && event.fate === "delivered") {
      expect(byNumber(event.cause!)).toMatchObject({ kind: "segment", fate: "sent", segment: event.segment });
    }
    if (event.kind === "state" && event.cause !== undefined) {
      expect(byNumber(event.cause)).toMatchObject({ host: event.host });
    }
  }
});
