import { holds, type Experiment } from "../experiment.ts";
import { fewPorts, useUpPort } from "../exhaustion.ts";
import { PORT } from "../openings.ts";

const PORTS = 4;

/**
 * A9: what TIME-WAIT costs a client that closes first: each connection keeps a port for a minute. It keeps it from one
 * destination only, as a connection is known by both ends.
 */
export const portExhaustion: Experiment = {
  id: "port-exhaustion",
  title: "A client runs out of ports",
  claims: ["A9"],
  article: "As long as one end is in TIME-WAIT, the connection between the same ends can't be made again.",
  *story(lab) {
    const { client, server, listeners } = yield* fewPorts(lab, PORTS);
    lab.say(`The client has ${PORTS} ports; ${PORTS} connections that it closes first use them up`);
    const ports = new Set<number>();
    for (let i = 0; i < PORTS; i++) ports.add((yield* useUpPort(client, server, listeners[0])).port);
    lab.expect("how many ports rest in TIME-WAIT", ports.size, PORTS);
    const sent = lab.wire.sent().length;
    const more = yield* client.tryConnect(server, PORT);
    lab.expect("one more to the same address and port", more, { code: "EADDRNOTAVAIL", step: "connect" });
    lab.expect("segments sent for it", lab.wire.sent().length - sent, 0);

    lab.say("Other destinations can be reached from the same ports");
    const otherPort = yield* client.connect(server, PORT + 1);
    const otherAddress = yield* client.connect(server, PORT, { to: server.addresses[1]! });
    const again = [otherPort, otherAddress].every(({ port }) => ports.has(port));
    lab.expect("another port and another address, from ports of those that rest", again, true);
    return holds(
      `After ${ports.size} connections in TIME-WAIT connect failed with ${more.code}, without a segment sent. To another ` +
        "port or address of the server the same ports served at once: TIME-WAIT keeps a pair of ends, not a port.",
    );
  },
};
