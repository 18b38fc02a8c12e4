import { holds, type Experiment } from "../experiment.ts";
import { connected, PORT } from "../openings.ts";
import { secondsLeft } from "../timers.ts";

/** A10: it is not only TIME-WAIT that keeps a port. */
export const clientNeverCloses: Experiment = {
  id: "client-never-closes",
  title: "The client never closes: FIN-WAIT-2 keeps the port as well",
  claims: ["A10"],
  article:
    "If the client does not close, the server that was ended is in FIN_WAIT_2, the client in CLOSE_WAIT, and bind still fails.",
  *story(lab) {
    const { client, server } = yield* connected(lab);
    lab.say("The server ends; the client reads the end of the data, and does nothing");
    yield* server.connection.close();
    yield* server.listener.close();
    lab.expect("what the client reads", yield* client.socket.read(), { code: "ok", length: 0, text: "" });
    yield* server.connection.reaches("FIN-WAIT-2");
    lab.expect("the client's state", client.socket.state, "CLOSE-WAIT");
    lab.expect("seconds until the server's system gives up", secondsLeft(server.connection), 60);
    lab.expect("a timer of the client", client.socket.timer, undefined);
    const restarted = yield* server.host.process("server again");
    const refused = { code: "EADDRINUSE", step: "bind" };
    lab.expect("the server again", yield* restarted.tryListen(PORT), refused);
    lab.expect("with SO_REUSEADDR", yield* restarted.tryListen(PORT, { reuseAddress: true }), refused);
    return holds(
      "The server was in FIN-WAIT-2, the client in CLOSE-WAIT, and bind failed with EADDRINUSE. On the server that lasts " +
        `${secondsLeft(server.connection)} s at most (tcp_fin_timeout), on the client as long as its program likes.`,
    );
  },
};
