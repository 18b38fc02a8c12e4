import { holds, type Experiment } from "../src/lab/experiment.ts";
import { connected } from "../src/lab/openings.ts";

/** A5, with a twist: the FIN of the end that closes first is lost once. */
export const firstFinLost: Experiment = {
  id: "first-fin-lost",
  title: "The first FIN is lost",
  claims: ["A5"],
  article: "A connection ends in four segments.",
  *story(lab) {
    const { client, server } = yield* connected(lab);

    lab.say("The server closes; the wire loses its FIN once");
    lab.wire.drop({ from: "server", has: ["FIN"] }, { times: 1 });
    yield* server.connection.close();
    lab.expect("the client's state", client.socket.state, "ESTABLISHED");

    lab.say("The server's retransmission timer goes off");
    yield* client.socket.reaches("CLOSE-WAIT");
    yield* server.connection.reaches("FIN-WAIT-2");
    yield* client.socket.close();
    yield* server.connection.reaches("TIME-WAIT");

    const fins = lab.wire.sent({ has: ["FIN"] });
    lab.expect(
      "who sent a FIN",
      fins.map(({ from }) => from),
      ["server", "server", "client"],
    );
    return holds("It ended in the four segments, one of them sent twice.");
  },
};
