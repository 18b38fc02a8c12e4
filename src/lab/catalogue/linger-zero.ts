import { holdsPartly, type Experiment } from "../experiment.ts";
import { connected, PORT } from "../openings.ts";

const CLIENT_PORT = 40_000;

/**
 * A4, A6: closing without the four segments. SO_LINGER with 0 seconds makes close send a RST: no FIN, no TIME-WAIT, and
 * the peer is told that the connection broke.
 */
export const lingerZero: Experiment = {
  id: "linger-zero",
  title: "SO_LINGER with 0 seconds: RST instead of FIN",
  claims: ["A4", "A6"],
  article: "Closing a connection's descriptor sends a FIN, and who closes first ends in TIME-WAIT.",
  *story(lab) {
    const { client, server } = yield* connected(lab, { connect: { from: CLIENT_PORT } });
    yield* client.socket.write("before");
    lab.say("The client closes first, with SO_LINGER set to 0 seconds");
    yield* client.socket.abort();
    const sent = lab.wire.sent({ from: "client" });
    lab.expect("RSTs of the client", sent.filter(({ flags }) => flags.includes("RST")).length, 1);
    lab.expect("FINs of the client", sent.filter(({ flags }) => flags.includes("FIN")).length, 0);
    lab.expect("the client's state", client.socket.state, "CLOSED");
    lab.expect("the server's state", server.connection.state, "CLOSED");

    lab.say("What the server sees: the data that came before, the error once, then the end");
    const reads = [];
    for (let i = 0; i < 3; i++) reads.push(yield* server.connection.read());
    lab.expect("what read gives", [reads[0]!.text, reads[1]!.code, reads[2]!.length], ["before", "ECONNRESET", 0]);
    lab.expect("what write gives", yield* server.connection.write("I am server"), "EPIPE");

    lab.say("Nothing rests in TIME-WAIT: the same ports can be used again at once");
    const again = yield* client.process.tryConnect(server.host, PORT, { from: CLIENT_PORT });
    lab.expect("connect from the same port", again.code, "ok");
    return holdsPartly(
      "With SO_LINGER set to 0 seconds close sent a RST and no FIN, and both ends were CLOSED at once, without TIME-WAIT. " +
        `The server read ${reads[1]!.code}.`,
    );
  },
};
