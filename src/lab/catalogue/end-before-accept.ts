import { holdsPartly, type Experiment } from "../experiment.ts";
import { inShort } from "../lab-wire.ts";
import { PORT } from "../openings.ts";

/** A4: a connection is there before `accept`, but no process has a descriptor for it yet. */
export const endBeforeAccept: Experiment = {
  id: "end-before-accept",
  title: "A process ends before it has accepted",
  claims: ["A4"],
  article: "When a process ends, a FIN goes out on each open connection.",
  *story(lab) {
    const { client, server } = yield* lab.hosts();
    const serving = yield* server.process("server", { mortal: true });
    yield* serving.listen(PORT);
    const asking = yield* client.process("client");
    const socket = yield* asking.connect(server, PORT);
    lab.say("The client is connected; the server has not called accept, and ends");
    lab.expect("the client's state", socket.state, "ESTABLISHED");
    const before = lab.wire.sent({ from: "server" }).length;
    yield* serving.kill("SIGTERM");
    yield* socket.reaches("CLOSED");
    const sent = inShort(lab.wire.sent({ from: "server" }).slice(before));
    lab.expect("what the server's host sent", sent, ["server RST,ACK"]);
    const gave = yield* socket.readInShort();
    lab.expect("what the client reads", gave, "ECONNRESET");
    return holdsPartly(
      `The connection was open, but not accepted: a RST went out with the listener's end, and the client's read failed with ${gave}.`,
    );
  },
};
