import { holds, type Experiment } from "../experiment.ts";
import { connected, PORT } from "../openings.ts";

/**
 * A13: the old server is gone, and so is its listener, but a child of it still serves a client. Nothing is in TIME-WAIT:
 * an ESTABLISHED connection keeps the port just as well.
 */
export const inheritedConnection: Experiment = {
  id: "inherited-connection",
  title: "A child inherited the connection",
  claims: ["A13"],
  article: "bind fails while a child of the old server still serves a connection; SO_REUSEADDR mends it.",
  *story(lab) {
    const { client, server } = yield* connected(lab, { mortal: ["server"], listen: { reuseAddress: true } });
    lab.say("The server forks. The child closes its copy of the listener: it has the connection only");
    const child = yield* server.process.fork("child");
    yield* child.inherited(server.listener).close();
    lab.say("The server ends");
    yield* server.process.exit();
    lab.expect("the listener's state", server.listener.state, "CLOSED");
    lab.expect("the connection's state", server.connection.state, "ESTABLISHED");

    const restarted = yield* server.host.process("server again");
    const plain = yield* restarted.tryListen(PORT);
    lab.expect("bind without SO_REUSEADDR", plain.code, "EADDRINUSE");
    const { code } = yield* restarted.tryListen(PORT, { reuseAddress: true });
    lab.expect("bind with SO_REUSEADDR, as the old server had it too", code, "ok");

    lab.say("The child still serves its client, beside the new server");
    yield* child.inherited(server.connection).write("I am server");
    const { text } = yield* client.socket.read();
    lab.expect("what the client reads", text, "I am server");
    return holds(
      `With one connection in ${server.connection.state} and no listener, bind failed with ${plain.code}; with ` +
        "SO_REUSEADDR, which the old server had set too, it worked, and the child went on serving.",
    );
  },
};
