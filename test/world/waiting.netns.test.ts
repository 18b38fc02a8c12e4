/** Several processes that wait on one socket: the kernel's world and the model tell the same story. */
import { join } from "node:path";
import { expect } from "vitest";
import type { Call } from "../../src/call/call.ts";
import type { Process, Socket } from "../../src/lab/process.ts";
import type { Lab } from "../../src/lab/lab.ts";
import { runExperiment } from "../../src/lab/run.ts";
import type { Story } from "../../src/lab/story.ts";
import type { Trace } from "../../src/trace/trace.ts";
import { KernelWorld } from "../../src/world/kernel/kernel-world.ts";
import { CLI } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { compareWithin, experimentOf } from "./stories.ts";

const PORT = 8000;
const childScript = join(CLI, "../lab-process.cjs");
const NAMES = ["first", "second", "third"];

/** So many children of the process make the call one after another. Those that have begun last call first. */
function* block(process: Process, count: number, call: Call): Story {
  const children: Process[] = [];
  for (const name of NAMES.slice(0, count).toReversed()) children.push(yield* process.fork(name));
  for (const child of children.toReversed()) yield* child.begin({ ...call });
}

interface Scene {
  wire: Lab["wire"];
  server: Process;
  listener: Socket;
  client: Process;
  /** How many wait. */
  count: number;
}

/** The children of the client's wait for a connection, which comes when its SYN does. */
function* waitInConnect({ wire, listener, client, count }: Scene, then: () => Story): Story {
  wire.hold({ has: ["SYN"], lacks: ["ACK"] }, "SYN");
  const { fd } = yield* client.socket("IPv4");
  yield* block(client, count, { name: "connect", fd, address: listener.process.host.address, port: PORT });
  yield* then();
  yield* wire.release("SYN");
}

const STORIES: Record<string, (scene: Scene) => Story> = {
  *"in accept"({ server, listener, client, count }) {
    yield* block(server, count, { name: "accept", fd: listener.fd });
    for (let i = 0; i < count; i++) yield* client.connect(server.host, PORT);
  },
  *"in accept at a listener that ends"({ server, listener, count }) {
    yield* block(server, count, { name: "accept", fd: listener.fd });
    yield* listener.shutdown("read");
  },
  *"in read"({ server, listener, client, count }) {
    const here = yield* client.connect(server.host, PORT);
    const { fd } = yield* listener.accept();
    yield* block(server, count, { name: "read", fd, length: 10 });
    for (let i = 0; i < count - 1; i++) yield* here.write("abc");
    yield* here.close();
  },
  "in connect": (scene) => waitInConnect(scene, function* () {}),
  "in connect that is refused": (scene) => waitInConnect(scene, () => scene.listener.close()),
};

/** Who has returned, in order. */
function returned({ events }: Trace): string[] {
  return events.flatMap((event) => (event.kind === "return" && NAMES.includes(event.process) ? [event.process] : []));
}

for (const count of [2, 3]) {
  const names = NAMES.slice(0, count);
  for (const [what, waiters] of Object.entries(STORIES)) {
    testNeeding(["a network namespace"], `${count} wait ${what}`, () => {
      const experiment = experimentOf(function* (lab) {
        const hosts = yield* lab.hosts();
        const server = yield* hosts.server.process("server", { mortal: true });
        const client = yield* hosts.client.process("client", { mortal: true });
        yield* waiters({ wire: lab.wire, server, listener: yield* server.listen(PORT), client, count });
      });
      const run = () => runExperiment(experiment, new KernelWorld({ childScript }));
      const kernel = run();
      expect(compareWithin(3, experiment, kernel, run)).toEqual({
        verdicts: { kernel: "yes", model: "yes" },
        differences: [],
      });
      const turn = what.startsWith("in accept") ? names : names.toReversed();
      if (what === "in read" && count === 3) turn.splice(1, 2, "first", "second");
      expect(returned(kernel)).toEqual(turn);
    });
  }
}
