import { holdsPartly, type Experiment } from "../experiment.ts";
import { PORT } from "../openings.ts";
import { stoppedServer } from "../stopped-server.ts";

/**
 * A12, its limit: whoever has the error, adds SO_REUSEADDR and starts again has it still. Linux asks both sides for the
 * flag, and TIME-WAIT keeps what the old server had set; on BSD and macOS, where the document comes from, the new server's
 * is enough.
 */
export const restartOldServerWithout: Experiment = {
  id: "restart-old-server-without",
  title: "SO_REUSEADDR comes too late",
  claims: ["A12"],
  article: "Setting SO_REUSEADDR before bind lets a server start again while its old connections are still there.",
  *story(lab) {
    const { client, server } = yield* lab.hosts();
    const old = yield* stoppedServer(lab, {
      host: server,
      name: "server",
      port: PORT,
      reuseAddress: false,
      client: yield* client.process("client"),
    });
    lab.say("SO_REUSEADDR is added to the server, and it is started again");
    const mended = yield* server.process("server with SO_REUSEADDR");
    const { code } = yield* mended.tryListen(PORT, { reuseAddress: true, backlog: 20 });
    lab.expect("bind", code, "EADDRINUSE");
    lab.expect("the old connection", old.connection.state, "TIME-WAIT");
    return holdsPartly(
      `bind failed with ${code} in spite of SO_REUSEADDR: the old server had not set it, and its TIME-WAIT blocks the ` +
        "port to the end. It mends restarts from the next one on.",
    );
  },
};
