import { holdsPartly, type Experiment } from "../experiment.ts";
import { connected, PORT } from "../openings.ts";

/**
 * A13: the child that the old server left behind has the listener too. SO_REUSEADDR does not help against a socket that
 * listens, and the port looks alive: new clients connect, and nobody will ever accept them.
 */
export const inheritedListener: Experiment = {
  id: "inherited-listener",
  title: "A child inherited the listener",
  claims: ["A13"],
  article: "bind fails while a child of the old server still serves a connection; SO_REUSEADDR mends it.",
  *story(lab) {
    const { client, server } = yield* connected(lab, { mortal: ["server"], listen: { reuseAddress: true } });
    lab.say("The server forks; the child has the listener and the connection too. Then the server is killed");
    const child = yield* server.process.fork("child");
    yield* server.process.kill();
    lab.expect("the connection's state", server.connection.state, "ESTABLISHED");
    lab.expect("the listener's state", server.listener.state, "LISTEN");

    const restarted = yield* server.host.process("server again");
    for (const reuseAddress of [false, true]) {
      const { code } = yield* restarted.tryListen(PORT, { reuseAddress });
      lab.expect(`bind ${reuseAddress ? "with" : "without"} SO_REUSEADDR`, code, "EADDRINUSE");
    }
    const late = yield* client.process.tryConnect(server.host, PORT);
    lab.expect("connect of a new client", late.code, "ok");

    lab.say("The child is killed: that frees the port");
    yield* child.kill();
    lab.expect("the listener's state", server.listener.state, "CLOSED");
    const { code } = yield* restarted.tryListen(PORT, { reuseAddress: true });
    lab.expect("bind with SO_REUSEADDR", code, "ok");
    return holdsPartly(
      "bind failed with EADDRINUSE, and SO_REUSEADDR did not mend it: the child had the listener too, which listened on, " +
        "and a new client could connect to it. Ending the child did.",
    );
  },
};
