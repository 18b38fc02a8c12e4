import { holds, type Experiment } from "../experiment.ts";
import { connected, PORT } from "../openings.ts";
import { secondsLeft } from "../timers.ts";

/** A10: a server that has only shut its connection down waits for the client without end, and so does the port. */
export const clientNeverClosesShutdown: Experiment = {
  id: "client-never-closes-shutdown",
  title: "The client never closes, and the server keeps the descriptor",
  claims: ["A10"],
  article:
    "If the client does not close, the server that was ended is in FIN_WAIT_2, the client in CLOSE_WAIT, and bind still fails.",
  *story(lab) {
    const { client, server } = yield* connected(lab);
    lab.say("The server's program goes on: it shuts the connection down, and closes its listener");
    yield* server.connection.shutdown();
    yield* server.listener.close();
    yield* server.connection.reaches("FIN-WAIT-2");
    lab.expect("the client's state", client.socket.state, "CLOSE-WAIT");
    lab.expect("a timer of the server", server.connection.timer, undefined);
    const other = yield* server.host.process("another server");
    lab.expect("another server on the port", yield* other.tryListen(PORT), { code: "EADDRINUSE", step: "bind" });
    lab.say("Now the server's program closes the descriptor: the connection belongs to nobody");
    yield* server.connection.close();
    lab.expect("the server's state", server.connection.state, "FIN-WAIT-2");
    lab.expect("seconds until the server's system gives up", secondsLeft(server.connection), 60);
    return holds(
      "FIN-WAIT-2 and CLOSE-WAIT as said, and bind failed with EADDRINUSE. While the server's program had the descriptor, " +
        `FIN-WAIT-2 had no timer; it got one, of ${secondsLeft(server.connection)} s, when the descriptor was closed.`,
    );
  },
};
