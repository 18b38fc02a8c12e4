import { holds, type Experiment } from "../experiment.ts";
import { connected } from "../openings.ts";

/** A8: what TIME-WAIT is there for, first reason. */
export const lastAckLost: Experiment = {
  id: "last-ack-lost",
  title: "The last ACK is lost, and TIME-WAIT sends it again",
  claims: ["A8"],
  article: "The last ACK may be lost and has to be sent again then: the FIN that it acknowledges comes once more.",
  *story(lab) {
    const { client, server } = yield* connected(lab);
    lab.say("The server closes first, so the last ACK will be its own; the wire loses it once");
    yield* server.connection.close();
    yield* server.connection.reaches("FIN-WAIT-2");
    lab.wire.drop({ from: "server", has: ["ACK"], lacks: ["FIN"] }, { times: 1 });
    // A third FIN, which a slow host may send, would draw an ACK to nobody, and that a RST: TIME-WAIT's assassination.
    lab.wire.drop({ from: "client", has: ["FIN"] }, { skip: 2 });
    yield* client.socket.close();
    yield* server.connection.reaches("TIME-WAIT");
    lab.expect("the client's state", client.socket.state, "LAST-ACK");
    yield* client.socket.reaches("CLOSED");
    const fins = lab.wire.sent({ from: "client", has: ["FIN"] });
    lab.expect("the client sent its FIN again", fins.length > 1 && fins.at(-1)!.seq === fins[0]!.seq, true);
    const acks = lab.wire.sent({ from: "server", has: ["ACK"], lacks: ["FIN"] }).slice(-2);
    lab.expect(
      "which of the two ACKs of it arrived",
      acks.map(({ delivered }) => delivered),
      [false, true],
    );
    lab.expect("the server's state", server.connection.state, "TIME-WAIT");
    return holds("TIME-WAIT answered the FIN that came again with an ACK, and the client closed without an error.");
  },
};
