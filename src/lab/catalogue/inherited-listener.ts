import { holdsPartly, type Experiment } from "../experiment.ts";
import { connected, PORT } from "../openings.ts";

/** A13: a child that the old server left behind. */
export const inheritedListener: Experiment = {
  id: "inherited-listener",
  title: "A child inherited the listener",
  claims: ["A13"],
  article: "bind fails while a child of the old server still serves a connection; SO_REUSEADDR mends it.",
  *story(lab) {
    const { server } = yield* connected(lab, { mortal: ["server"], listen: { reuseAddress: true } });
    lab.say("The server forks; the child has the listener and the connection too. Then the server is killed");
    yield* server.process.fork("child");
    yield* server.process.kill();
    lab.expect("the connection's state", server.connection.state, "ESTABLISHED");
    const restarted = yield* server.host.process("server again");
    for (const reuseAddress of [false, true]) {
      const { code } = yield* restarted.tryListen(PORT, { reuseAddress });
      lab.expect(`bind ${reuseAddress ? "with" : "without"} SO_REUSEADDR`, code, "EADDRINUSE");
    }
    return holdsPartly(
      "bind failed with EADDRINUSE, but SO_REUSEADDR did not mend it: the child has the listener too, and it listens on.",
    );
  },
};
