import { holds, type Experiment } from "../experiment.ts";
import { connected } from "../openings.ts";
import { CLIENT_PORT, reconnect } from "../reconnection.ts";

/**
 * A10: a program that never closes keeps its end in CLOSE-WAIT without a limit, and the ends' ports with it. A client that
 * comes back on them is not kept out: the challenge ACK that answers its SYN (RFC 5961) tells it of the old connection.
 */
export const synIntoCloseWait: Experiment = {
  id: "syn-into-close-wait",
  title: "A client comes back on the ports of a connection that the server never closed",
  claims: ["A10"],
  article: "If one end does not close, its end of the connection stays in CLOSE_WAIT.",
  *story(lab) {
    const made = yield* connected(lab, { connect: { from: CLIENT_PORT } });
    const { client, server } = made;
    yield* client.host.set("net.ipv4.tcp_fin_timeout", 1);
    lab.say("The client closes, the server does not; the client's system gives up waiting");
    yield* client.socket.close();
    yield* server.connection.reaches("CLOSE-WAIT");
    yield* client.socket.reaches("CLOSED");
    lab.expect("a timer of the server", server.connection.timer, undefined);
    lab.say("The client connects again, from the same port");
    const before = lab.wire.sent().length;
    yield* client.process.succeed(yield* reconnect(made));
    const segments = lab.wire.sent().slice(before, before + 4);
    lab.expect(
      "how the SYN fares",
      segments.map(({ from, flags }) => `${from}: ${flags.join(",")}`),
      ["client: SYN", "server: ACK", "client: RST", "client: SYN"],
    );
    lab.expect("the old connection's state", server.connection.state, "CLOSED");
    lab.expect("the new connection's state", (yield* server.listener.accept()).state, "ESTABLISHED");
    return holds(
      "The server's end stayed in CLOSE-WAIT, without a timer. The client's SYN drew an ACK, which the client answered with a " +
        "RST; that ended the old connection, and the SYN, sent again, was accepted.",
    );
  },
};
