import { holds, type Experiment } from "../experiment.ts";
import { inShort } from "../lab-wire.ts";
import type { Process } from "../process.ts";
import { PORT } from "../openings.ts";
import type { Story } from "../story.ts";

/** The ways to end, and who takes them. */
const WAYS: readonly (readonly [name: string, how: string, end: (process: Process) => Story])[] = [
  ["exit", "calls exit", (process) => process.exit("exit")],
  ["return", "returns from main", (process) => process.exit("return")],
  ["SIGTERM", "is terminated", (process) => process.kill("SIGTERM")],
  ["SIGKILL", "is killed, and can do nothing about it", (process) => process.kill("SIGKILL")],
];

/** A4: it is the kernel that closes what a process had open, so that not even SIGKILL keeps a FIN from being sent. */
export const endOfProcess: Experiment = {
  id: "end-of-process",
  title: "Four ways to end a process",
  claims: ["A4"],
  article:
    "However a process ends, by exit, by returning from main or by a signal, its descriptors are closed, and a FIN goes " +
    "out on each open connection.",
  *story(lab) {
    const { client, server } = yield* lab.hosts();
    const serving = yield* server.process("server");
    const listener = yield* serving.listen(PORT);
    for (const [name, how, end] of WAYS) {
      const process = yield* client.process(name, { mortal: true });
      const socket = yield* process.connect(server, PORT);
      const connection = yield* listener.accept();
      lab.say(`A client ${how}, without having closed anything`);
      const before = lab.wire.sent({ from: "client" }).length;
      yield* end(process);
      lab.expect("what the server reads", yield* connection.readInShort(), "end of stream");
      lab.expect("what was sent", inShort(lab.wire.sent({ from: "client" }).slice(before)), ["client FIN,ACK"]);
      yield* socket.reaches("FIN-WAIT-2");
    }
    return holds(`Each of the ${WAYS.length} ways sent one FIN, and the server read the end of the stream.`);
  },
};
