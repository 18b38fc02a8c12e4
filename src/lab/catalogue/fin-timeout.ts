import { holdsPartly, type Experiment } from "../experiment.ts";
import { connected, PORT } from "../openings.ts";
import { secondsLeft } from "../timers.ts";

/**
 * A7, A10: what tcp_fin_timeout is about. It ends FIN-WAIT-2 of a connection that no program has any more; as long as one
 * has its descriptor, FIN-WAIT-2 has no timer at all. The peer is not told.
 */
export const finTimeout: Experiment = {
  id: "fin-timeout",
  title: "tcp_fin_timeout ends FIN-WAIT-2, and only where no program has the connection",
  claims: ["A7", "A10"],
  article: "The end that closes first waits in FIN-WAIT-2 until the other end's FIN comes.",
  *story(lab) {
    const { client, server } = yield* connected(lab);
    lab.say("The server shuts one connection down and keeps its descriptor; two others it closes");
    yield* server.connection.shutdown();
    const closed = [];
    for (const seconds of [5, 1]) {
      yield* server.host.set("net.ipv4.tcp_fin_timeout", seconds);
      const socket = yield* client.process.connect(server.host, PORT);
      const connection = yield* server.listener.accept();
      yield* connection.close();
      yield* connection.reaches("FIN-WAIT-2");
      lab.expect(`seconds left with tcp_fin_timeout ${seconds}`, secondsLeft(connection), seconds);
      closed.push({ socket, connection });
    }
    const [longer, shorter] = closed;
    yield* shorter!.connection.reaches("CLOSED");
    lab.expect("the other one that was closed", longer!.connection.state, "FIN-WAIT-2");
    lab.expect("the one that was shut down", server.connection.state, "FIN-WAIT-2");
    lab.expect("its timer", server.connection.timer, undefined);
    lab.expect("the client, which nobody has told", shorter!.socket.state, "CLOSE-WAIT");
    yield* shorter!.socket.close();
    yield* shorter!.socket.reaches("CLOSED");
    lab.expect("the answer to its FIN", lab.wire.lastSent({ from: "server" }).flags, ["RST"]);
    return holdsPartly(
      "With tcp_fin_timeout 1 and the descriptor closed, FIN-WAIT-2 ended after a second without any FIN, and the client's FIN " +
        "was later answered with a RST. With the descriptor open FIN-WAIT-2 had no timer.",
    );
  },
};
