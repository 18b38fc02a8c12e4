import { holds, type Experiment } from "../experiment.ts";
import { inShort } from "../lab-wire.ts";
import { connected } from "../openings.ts";

/**
 * A5: the ACK of a FIN is delayed like any other, about 40 ms after data have gone both ways. A program that closes within
 * that time sends its FIN with it.
 */
export const closeThreeSegments: Experiment = {
  id: "close-three-segments",
  title: "A close in three segments",
  claims: ["A5"],
  article: "The second and the third of the four segments may be merged into one.",
  *story(lab) {
    const { client, server } = yield* connected(lab);
    yield* client.socket.write("I am client");
    yield* server.connection.read();
    yield* server.connection.write("I am server");
    yield* client.socket.read();
    const before = lab.wire.sent().length;
    lab.say("The server closes, and the client does before its host has acknowledged that");
    yield* server.connection.close();
    yield* client.socket.close();
    yield* client.socket.reaches("CLOSED");
    const sent = inShort(lab.wire.sent().slice(before));
    lab.expect("the segments of the close", sent, ["server FIN,ACK", "client FIN,ACK", "server ACK"]);
    lab.expect("the server's states", server.connection.statesAfter("ESTABLISHED"), ["FIN-WAIT-1", "TIME-WAIT"]);
    return holds(
      `${sent.length} segments: the client's FIN acknowledged the server's, which went from FIN-WAIT-1 to TIME-WAIT directly.`,
    );
  },
};
