import { holds, type Experiment } from "../experiment.ts";
import { inShort } from "../lab-wire.ts";
import { connected } from "../openings.ts";

/** A5: each direction is closed by a FIN of its own, and each FIN is acknowledged. */
export const closeFourSegments: Experiment = {
  id: "close-four-segments",
  title: "A close in four segments",
  claims: ["A5"],
  article: "A connection ends in four segments.",
  *story(lab) {
    const { client, server } = yield* connected(lab);
    const before = lab.wire.sent().length;
    lab.say("The server closes; the client takes its time");
    yield* server.connection.close();
    yield* server.connection.reaches("FIN-WAIT-2");
    lab.say("The client closes too");
    yield* client.socket.close();
    yield* server.connection.reaches("TIME-WAIT");
    yield* client.socket.reaches("CLOSED");
    const sent = inShort(lab.wire.sent().slice(before));
    lab.expect("the segments of the close", sent, ["server FIN,ACK", "client ACK", "client FIN,ACK", "server ACK"]);
    return holds(`${sent.length} segments: a FIN and its ACK in each direction.`);
  },
};
