import { holds, type Experiment } from "../experiment.ts";
import { inShort } from "../lab-wire.ts";
import { connected } from "../openings.ts";

/** A5: a FIN is a flag. It takes a segment of its own only where the data have gone out already. */
export const closeFinWithData: Experiment = {
  id: "close-fin-with-data",
  title: "A FIN that carries data",
  claims: ["A5"],
  article: "The FIN may travel with data.",
  *story(lab) {
    const { client, server } = yield* connected(lab);
    const before = lab.wire.sent({ from: "client" }).length;
    lab.say("The client writes, says that more will follow (MSG_MORE), and then that nothing will");
    yield* client.socket.write("I am client", true);
    yield* client.socket.shutdown("write");
    const sent = inShort(lab.wire.sent({ from: "client" }).slice(before));
    lab.expect("what the client sent", sent, ["client FIN,ACK 11"]);
    lab.expect("what the server reads first", yield* server.connection.readInShort(), "I am client");
    lab.expect("what the server reads next", yield* server.connection.readInShort(), "end of stream");
    return holds(
      "One segment carried the data and the FIN; the server read the data first, then the end of the stream.",
    );
  },
};
