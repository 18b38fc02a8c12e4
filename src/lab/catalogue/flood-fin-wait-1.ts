import { holdsPartly, type Experiment } from "../experiment.ts";
import { connected, PORT } from "../openings.ts";

const GREETING = "I am server".padEnd(20, "\0");

/**
 * A10: what becomes of the document's server with the usual buffers. The client's window is shut, so data that the server
 * has written can't be sent, and the FIN has to wait behind them.
 */
export const floodFinWait1: Experiment = {
  id: "flood-fin-wait-1",
  title: "A server that floods a client is stuck in FIN-WAIT-1",
  claims: ["A10", "A4"],
  article: "If the client does not read, the server that was ended is in FIN_WAIT_2, the client in CLOSE_WAIT.",
  *story(lab) {
    const { client, server } = yield* connected(lab, { mortal: ["server"] });
    lab.say("The server writes without end, and the client does not read");
    yield* server.process.begin({
      name: "write",
      fd: server.connection.fd,
      data: { repeat: GREETING, length: 2 ** 23 },
    });
    const waits = () =>
      server.connection.timer?.kind === "persist" && lab.wire.lastSent({ from: "client" }).window === 0;
    yield* lab.until("the client's window is shut, and the server has the persist timer", waits);
    lab.say("The server is killed");
    yield* server.process.kill();
    lab.expect("the server's state", server.connection.state, "FIN-WAIT-1");
    yield* lab.until("the server still has the persist timer", waits);
    const { sendQueue } = server.connection;
    lab.expect("data wait to be sent", sendQueue > 1, true);
    lab.expect("FINs that the server has sent", lab.wire.sent({ from: "server", has: ["FIN"] }).length, 0);
    lab.expect("the client's state", client.socket.state, "ESTABLISHED");
    const restarted = yield* server.host.process("server again");
    lab.expect("the server again", yield* restarted.tryListen(PORT), { code: "EADDRINUSE", step: "bind" });
    return holdsPartly(
      `bind failed, but the server was in FIN-WAIT-1 with ${sendQueue - 1} bytes unsent behind a shut window, and its FIN had ` +
        `not been sent: the client, with ${client.socket.receiveQueue} bytes unread, was still in ESTABLISHED.`,
    );
  },
};
