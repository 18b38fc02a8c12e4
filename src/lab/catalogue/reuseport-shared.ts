import { doesNotHold, type Experiment } from "../experiment.ts";
import { PORT } from "../openings.ts";

/** The kernel picks a listener by a hash of the connection's ends: so many in a row to one of two is out of the question. */
const MANY = 100;

/** A15: what the document calls impossible became a feature: SO_REUSEPORT (Linux 3.9), and the kernel shares out. */
export const reuseportShared: Experiment = {
  id: "reuseport-shared",
  title: "Two servers share a port by SO_REUSEPORT",
  claims: ["A15"],
  article: "Two TCP servers can never be bound to the same address and port.",
  *story(lab) {
    const { client, server } = yield* lab.hosts();
    const options = { address: server.address, reusePort: true };
    const first = yield* server.process("server 1");
    const second = yield* server.process("server 2");
    const listeners = [yield* first.listen(PORT, options), yield* second.listen(PORT, options)];
    const states = listeners.map(({ state }) => state);
    lab.expect("the states of the two", states, ["LISTEN", "LISTEN"]);
    const without = yield* (yield* server.process("server 3")).tryListen(PORT, { address: server.address });
    lab.expect("a third server without SO_REUSEPORT", without.code, "EADDRINUSE");

    lab.say("Clients connect until each of the two has had one");
    const asking = yield* client.process("client");
    const served = [0, 0];
    for (let i = 0; i < MANY && served.includes(0); i++) {
      yield* asking.connect(server, PORT);
      for (const [which, listener] of listeners.entries()) {
        if (!(yield* listener.poll()).includes("IN")) continue;
        yield* listener.accept();
        served[which]!++;
      }
    }
    lab.expect("each has had a client", !served.includes(0), true);
    return doesNotHold(
      `With SO_REUSEPORT two servers listened at the same address and port, and got ${served[0]} and ${served[1]} of ` +
        `${served[0]! + served[1]!} clients.`,
    );
  },
};
