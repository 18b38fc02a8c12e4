import { holdsPartly, type Experiment } from "../experiment.ts";
import { PORT } from "../openings.ts";
import type { Socket } from "../process.ts";

/** A14: one port, a server on each local address. They get along, and it takes no option. */
export const localAddresses: Experiment = {
  id: "local-addresses",
  title: "One port on two local addresses",
  claims: ["A14"],
  article: "SO_REUSEADDR lets several servers use one port, as long as each binds a local address of its own.",
  *story(lab) {
    const { client, server } = yield* lab.hosts({ server: { addresses: 2 } });
    const asking = yield* client.process("client");
    const servers = [yield* server.process("server 1"), yield* server.process("server 2")];
    for (const reuseAddress of [true, false]) {
      lab.say(`Each server has an address of its own, ${reuseAddress ? "with" : "without"} SO_REUSEADDR`);
      const listeners: Socket[] = [];
      for (const [i, serving] of servers.entries()) {
        listeners.push(yield* serving.listen(PORT, { address: server.addresses[i]!, reuseAddress }));
      }
      for (const [i, listener] of listeners.entries()) {
        const address = server.addresses[i]!;
        const socket = yield* asking.connect(server, PORT, { to: address });
        const connection = yield* listener.accept();
        yield* connection.write(address);
        lab.expect(`who answers at ${address}`, (yield* socket.read()).text, address);
        yield* connection.abort();
        yield* socket.close();
      }
      for (const listener of listeners) yield* listener.close();
    }
    return holdsPartly(
      "Two servers shared the port, each with an address of its own, and got the clients of that address; but they did so " +
        "without SO_REUSEADDR as well: different addresses don't conflict.",
    );
  },
};
