import { holds, type Experiment } from "../experiment.ts";
import { connected } from "../openings.ts";

/** A8: TIME-WAIT need not be removed to be missing. A system that has too many goes without, and counts how often. */
export const lastAckLostNoBucket: Experiment = {
  id: "last-ack-lost-no-bucket",
  title: "No room for TIME-WAIT: the lost ACK turns into a RST",
  claims: ["A8"],
  article: "Without TIME-WAIT the FIN that comes again is answered with a RST, which the other end takes for an error.",
  *story(lab) {
    const { client, server } = yield* connected(lab);
    lab.say("The server's system may have no TIME-WAIT at all");
    yield* server.host.set("net.ipv4.tcp_max_tw_buckets", 0);
    yield* server.connection.shutdown();
    yield* server.connection.reaches("FIN-WAIT-2");
    lab.wire.drop({ from: "server", has: ["ACK"], lacks: ["FIN"] }, { times: 1 });
    yield* client.socket.shutdown();
    lab.expect("the server's state", server.connection.state, "CLOSED");
    lab.expect("TIME-WAITs it had no room for", yield* server.host.counter("TCPTimeWaitOverflow"), 1);
    lab.expect("the client's state", client.socket.state, "LAST-ACK");
    yield* client.socket.reaches("CLOSED");
    const resets = lab.wire.sent({ from: "server", has: ["RST"] });
    lab.expect("the server answered the FIN that came again with a RST", resets[0]?.delivered, true);
    lab.expect("what the client is told", yield* client.socket.error(), "ECONNRESET");
    return holds(
      "With tcp_max_tw_buckets = 0 the server went to CLOSED at once, answered the FIN that came again with a RST, and the " +
        "client, whose descriptor was open, was told ECONNRESET.",
    );
  },
};
