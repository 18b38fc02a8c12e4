/** When two traces tell the same story. Traces are the model's, of small stories that differ in one point. */
import { describe, expect, test } from "vitest";
import type { Experiment } from "../../src/lab/experiment.ts";
import type { Lab } from "../../src/lab/lab.ts";
import { connected, type Connected } from "../../src/lab/openings.ts";
import { runExperiment } from "../../src/lab/run.ts";
import type { Story } from "../../src/lab/story.ts";
import { transfer } from "../../src/lab/transfer.ts";
import { compareStories, storyOf, type TraceStory } from "../../src/trace/story.ts";
import { PLAIN } from "../../src/world/model/settings.ts";
import { ModelWorld } from "../../src/world/model/model-world.ts";

type Tell = (made: Connected, lab: Lab) => Story;

/** What is told of a connection on which this happens. */
function story(tell: Tell, settings = PLAIN): TraceStory {
  const experiment: Experiment = {
    id: "test",
    title: "test",
    claims: [],
    article: "",
    *story(lab) {
      yield* tell(yield* connected(lab), lab);
      return { holds: "yes", because: "" };
    },
  };
  const trace = runExperiment(experiment, new ModelWorld(settings));
  expect(trace.outcome).toMatchObject({ status: "done" });
  return storyOf(trace);
}

const closing: Tell = function* ({ client, server }) {
  yield* server.connection.close();
  yield* server.connection.reaches("FIN-WAIT-2");
  yield* client.socket.close();
  yield* server.connection.reaches("TIME-WAIT");
  yield* client.socket.reaches("CLOSED");
};

describe("the same", () => {
  test("another run with other numbers", () => {
    expect(compareStories(story(closing), story(closing, { ...PLAIN, seed: 2 }))).toEqual([]);
  });

  test("an ACK is on its way for longer", () => {
    const late = story(function* (made, lab) {
      lab.wire.delay({ has: ["ACK"], lacks: ["FIN", "SYN"] }, 10);
      yield* closing(made, lab);
    });
    expect(compareStories(story(closing), late)).toEqual([]);
  });

  test("a transfer goes in smaller pieces, through a smaller buffer", () => {
    const sending: Tell = function* ({ client, server }) {
      yield* transfer(client.socket, server.connection, 50_000);
      yield* client.socket.close();
    };
    const small = { ...PLAIN, connection: { mss: 500, receiveBuffer: 2000 } };
    expect(compareStories(story(sending), story(sending, small))).toEqual([]);
  });
});

describe("not the same", () => {
  /** The first items that differ, by host. */
  function differences(tell: Tell, other: Tell): Record<string, [string | undefined, string | undefined]> {
    const found = compareStories(story(tell), story(other));
    return Object.fromEntries(found.map((one) => [one.host, [one.one?.text, one.other?.text]]));
  }

  test("calls in another order", () => {
    const one: Tell = function* ({ client }) {
      yield* client.socket.queued("SIOCINQ");
      yield* client.socket.poll();
    };
    const other: Tell = function* ({ client }) {
      yield* client.socket.poll();
      yield* client.socket.queued("SIOCINQ");
    };
    expect(differences(one, other)).toEqual({
      client: ['client: ioctl fd 3 request "SIOCINQ"', "client: poll fd 3"],
    });
  });

  test("another result", () => {
    const reading = (text: string): Tell =>
      function* ({ client, server }) {
        yield* client.socket.write(text);
        yield* server.connection.read();
      };
    expect(differences(reading("one"), reading("two"))["server"]).toEqual([
      'server: read = 3 "one"',
      'server: read = 3 "two"',
    ]);
  });

  test("a segment is lost", () => {
    const losing: Tell = function* (made, lab) {
      lab.wire.drop({ from: "server", has: ["FIN"] }, { times: 1 });
      yield* closing(made, lab);
    };
    expect(differences(closing, losing)["server"]).toEqual([
      "server/2: FIN-WAIT-1 → FIN-WAIT-2",
      "dropped #1 server: FIN,ACK next ack all",
    ]);
  });

  test("another state", () => {
    const one: Tell = function* ({ client }) {
      yield* client.socket.close();
    };
    const other: Tell = function* ({ client }) {
      yield* client.socket.abort();
    };
    expect(differences(one, other)["server"]).toEqual([
      "delivered #1 client: FIN,ACK next ack all",
      "delivered #1 client: RST,ACK next ack all",
    ]);
  });

  test("one goes on", () => {
    const shorter: Tell = function* ({ server }) {
      yield* server.connection.close();
      yield* server.connection.reaches("FIN-WAIT-2");
    };
    expect(differences(shorter, closing)["client"]).toEqual([undefined, "client: close fd 3"]);
  });
});
