import { ERRNO } from "../../call/errno.ts";
import { holds, type Experiment } from "../experiment.ts";
import { PORT } from "../openings.ts";
import { stoppedServer } from "../stopped-server.ts";

/** A3, A6, A12: the document's whole story. A server can't be started again, and what mends it. */
export const restart: Experiment = {
  id: "restart",
  title: "The server is started again",
  claims: ["A3", "A6", "A12"],
  article:
    "A server that is stopped while a client is connected can't be started again at once: bind fails, because the old " +
    "connection is still there, in TIME-WAIT. SO_REUSEADDR, set before bind, mends it.",
  *story(lab) {
    const { client, server } = yield* lab.hosts();
    const asking = yield* client.process("client");
    lab.say("A server without SO_REUSEADDR");
    const plain = yield* stoppedServer(lab, {
      host: server,
      name: "server",
      port: PORT,
      reuseAddress: false,
      client: asking,
    });
    lab.expect("the states of the end that closed first", plain.connection.statesAfter("ESTABLISHED"), [
      "FIN-WAIT-1",
      "FIN-WAIT-2",
      "TIME-WAIT",
    ]);
    lab.expect("the states of the other end", plain.asking.statesAfter("ESTABLISHED"), [
      "CLOSE-WAIT",
      "LAST-ACK",
      "CLOSED",
    ]);
    lab.say("The server is started again at once");
    const again = yield* server.process("server again");
    const refused = yield* again.tryListen(PORT, { backlog: 20 });
    lab.expect("starting it again", refused, { code: "EADDRINUSE", step: "bind" });
    lab.expect("the old connection", plain.connection.state, "TIME-WAIT");

    lab.say("The same with SO_REUSEADDR, on the next port: this one stays taken for as long as TIME-WAIT lasts");
    const mended = yield* stoppedServer(lab, {
      host: server,
      name: "server with SO_REUSEADDR",
      port: PORT + 1,
      reuseAddress: true,
      client: asking,
    });
    const attempt = yield* again.tryListen(PORT + 1, { reuseAddress: true, backlog: 20 });
    lab.expect("starting it again", attempt.code, "ok");
    lab.expect("the old connection", mended.connection.state, "TIME-WAIT");
    const seconds = Math.ceil((plain.connection.timer?.leftMs ?? 0) / 1000);
    return holds(
      `bind failed with ${refused.code} (${ERRNO.EADDRINUSE}) while the old connection was in TIME-WAIT, for ${seconds} s; ` +
        "with SO_REUSEADDR set by the old server and the new one it succeeded, and TIME-WAIT went on.",
    );
  },
};
