import { holds, type Experiment } from "../experiment.ts";
import { connected } from "../openings.ts";

/** A8: what TIME-WAIT is there for, first reason; and what happens without it. */
export const lastAckLost: Experiment = {
  id: "last-ack-lost",
  title: "The last ACK is lost",
  claims: ["A8"],
  article:
    "The last ACK may be lost. The FIN is sent again then, and TIME-WAIT answers it with an ACK again; without TIME-WAIT " +
    "it is answered with a RST, which the peer takes for an error.",
  *story(lab) {
    const { client, server } = yield* connected(lab);
    lab.say("The server closes first, so the last ACK will be its own; the wire loses it once");
    yield* server.connection.close();
    yield* server.connection.reaches("FIN-WAIT-2");
    lab.wire.drop({ from: "server", has: ["ACK"], lacks: ["FIN"] }, { times: 1 });
    yield* client.socket.close();
    yield* server.connection.reaches("TIME-WAIT");
    lab.expect("the client's state", client.socket.state, "LAST-ACK");
    yield* client.socket.reaches("CLOSED");
    const fins = lab.wire.sent({ from: "client", has: ["FIN"] });
    lab.expect("how often the client sent its FIN", fins.length, 2);
    return holds("TIME-WAIT answered the FIN that came again with an ACK, and the client closed cleanly.");
  },
};
