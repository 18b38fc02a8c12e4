import { holdsPartly, type Experiment } from "../experiment.ts";
import { fewPorts } from "../exhaustion.ts";
import { PORT } from "../openings.ts";
import type { ConnectOptions } from "../process.ts";

const bindFirst = (withoutPort: 0 | 1): ConnectOptions => ({
  from: 0,
  options: { IP_BIND_ADDRESS_NO_PORT: withoutPort },
});

/**
 * A15: clients that bind an address and leave the port to the kernel. bind has to choose one without knowing where the
 * client will connect, so it takes one that nobody has; IP_BIND_ADDRESS_NO_PORT leaves the choice to connect.
 */
export const bindAddressNoPort: Experiment = {
  id: "bind-address-no-port",
  title: "Clients that share an address and a port",
  claims: ["A15"],
  article: "An address and a port can be bound by one TCP socket only: the document says it of servers.",
  *story(lab) {
    const { client, server } = yield* fewPorts(lab, 1);
    lab.say("The client has one port. Its first socket binds the address, and connects");
    const alone = yield* client.connect(server, PORT, bindFirst(0));
    const second = yield* client.tryConnect(server, PORT + 1, bindFirst(0));
    lab.expect("a second socket, for another destination", second, { code: "EADDRINUSE", step: "bind" });
    yield* alone.abort();

    lab.say("The same with IP_BIND_ADDRESS_NO_PORT");
    const sharing = [
      yield* client.connect(server, PORT, bindFirst(1)),
      yield* client.connect(server, PORT + 1, bindFirst(1)),
    ];
    const states = sharing.map(({ state }) => state);
    lab.expect("the states of the two", states, ["ESTABLISHED", "ESTABLISHED"]);
    lab.expect("the second's port", sharing[1]!.port, sharing[0]!.port);
    return holdsPartly(
      `bind gave the only port to the first socket, and failed with ${second.code} for the second, whose destination was ` +
        `another. With IP_BIND_ADDRESS_NO_PORT both were connected from port ${sharing[0]!.port}.`,
    );
  },
};
