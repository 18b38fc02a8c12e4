import { holds, type Experiment } from "../experiment.ts";
import { connected } from "../openings.ts";

/** A5: why four segments and not two. Each direction ends for itself, and between the ends the other one goes on. */
export const halfClose: Experiment = {
  id: "half-close",
  title: "Half closed, and data still flow",
  claims: ["A5"],
  article: "A connection ends in four segments, a FIN and an ACK in each direction.",
  *story(lab) {
    const { client, server } = yield* connected(lab);
    yield* client.socket.write("I am client");
    yield* client.socket.shutdown("write");
    lab.expect("what the server reads", yield* server.connection.readInShort(), "I am client");
    lab.expect("what it reads next", yield* server.connection.readInShort(), "end of stream");
    yield* client.socket.reaches("FIN-WAIT-2");
    lab.say("The client has closed its direction; the server answers in its own");
    lab.expect("the server's state", server.connection.state, "CLOSE-WAIT");
    yield* server.connection.write("I am server");
    lab.expect("what the client reads in FIN-WAIT-2", yield* client.socket.readInShort(), "I am server");
    lab.expect("what its own write says", yield* client.socket.write("I am client"), "EPIPE");
    lab.expect("its state", client.socket.state, "FIN-WAIT-2");
    yield* server.connection.close();
    lab.expect("what the client reads at last", yield* client.socket.readInShort(), "end of stream");
    yield* client.socket.reaches("TIME-WAIT");
    yield* server.connection.reaches("CLOSED");
    const [clientFin] = lab.wire.sent({ from: "client", has: ["FIN"] });
    const [answer] = lab.wire.sent({ from: "server", payload: true });
    const [serverFin] = lab.wire.sent({ from: "server", has: ["FIN"] });
    const between = clientFin!.segment < answer!.segment && answer!.segment < serverFin!.segment;
    lab.expect("whether the answer was sent between the two FINs", between, true);
    return holds(
      `Each direction was closed by its own FIN; between the two the server still sent ${answer!.payloadLength} bytes, and the ` +
        "client read them in FIN-WAIT-2.",
    );
  },
};
