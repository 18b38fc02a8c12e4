import { holdsPartly, type Experiment } from "../experiment.ts";
import { connected } from "../openings.ts";

/**
 * A8: the last ACK is lost, and there is no TIME-WAIT to send it again. The RST is an error of a connection whose program
 * has closed it already: there is nobody left to be told.
 */
export const lastAckLostNoTimeWait: Experiment = {
  id: "last-ack-lost-no-time-wait",
  title: "The last ACK is lost, and without TIME-WAIT a RST follows",
  claims: ["A8"],
  article: "Without TIME-WAIT the FIN that comes again is answered with a RST, which the other end takes for an error.",
  *story(lab) {
    const { client, server } = yield* connected(lab);
    yield* server.connection.close();
    yield* server.connection.reaches("FIN-WAIT-2");
    lab.wire.drop({ from: "server", has: ["ACK"], lacks: ["FIN", "RST"] });
    yield* client.socket.close();
    yield* server.connection.reaches("TIME-WAIT");
    lab.say("TIME-WAIT is removed; the client does not know, and sends its FIN again");
    yield* server.connection.destroy();
    const before = yield* server.host.counter("OutRsts");
    yield* client.socket.reaches("CLOSED");
    const resets = lab.wire.sent({ from: "server", has: ["RST"] });
    lab.expect("the server answered the FIN that came again with a RST", resets[0]?.delivered, true);
    lab.expect("RSTs that the server counted", (yield* server.host.counter("OutRsts")) - before, resets.length);
    lab.expect("resets that the client counted", yield* client.host.counter("EstabResets"), 0);
    return holdsPartly(
      "The FIN that came again was answered with a RST. But the client's program had closed its descriptor, so no program " +
        "was told: only the wire and the server's counter of RSTs (OutRsts) show it.",
    );
  },
};
