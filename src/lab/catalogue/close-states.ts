import type { Match } from "../../link/rule.ts";
import { holds, type Experiment } from "../experiment.ts";
import { connected } from "../openings.ts";
import type { Story } from "../story.ts";

/** The four segments of a close whose first end is the server. */
const SEGMENTS: Readonly<Record<string, Match>> = {
  "the server's FIN": { from: "server", has: ["FIN"] },
  "the client's ACK": { from: "client", has: ["ACK"], lacks: ["FIN"] },
  "the client's FIN": { from: "client", has: ["FIN"] },
  "the server's ACK": { from: "server", has: ["ACK"], lacks: ["FIN"] },
};

/** A6: the close as a film, one segment a picture. The wire holds each one back until both ends have been looked at. */
export const closeStates: Experiment = {
  id: "close-states",
  title: "The states of both ends",
  claims: ["A6"],
  article:
    "The end that closes first goes through FIN-WAIT-1, FIN-WAIT-2 and TIME-WAIT, the other one through CLOSE-WAIT, where " +
    "read returns 0, and LAST-ACK.",
  *story(lab) {
    const { client, server } = yield* connected(lab);
    for (const [name, match] of Object.entries(SEGMENTS)) lab.wire.hold(match, name);
    function* arrives(name: string): Story {
      yield* lab.until(`${name} is on the wire`, () => lab.wire.held(name) > 0);
      yield* lab.wire.release(name, 1);
    }
    const both = () => [server.connection.state, client.socket.state];

    yield* server.connection.close();
    lab.expect("the server has closed", both(), ["FIN-WAIT-1", "ESTABLISHED"]);
    yield* arrives("the server's FIN");
    lab.expect("its FIN has arrived", both(), ["FIN-WAIT-1", "CLOSE-WAIT"]);
    yield* arrives("the client's ACK");
    lab.expect("it has been acknowledged", both(), ["FIN-WAIT-2", "CLOSE-WAIT"]);
    lab.expect("what the client reads", yield* client.socket.readInShort(), "end of stream");
    yield* client.socket.close();
    lab.expect("the client has closed", both(), ["FIN-WAIT-2", "LAST-ACK"]);
    yield* arrives("the client's FIN");
    lab.expect("its FIN has arrived", both(), ["TIME-WAIT", "LAST-ACK"]);
    yield* arrives("the server's ACK");
    lab.expect("it has been acknowledged", both(), ["TIME-WAIT", "CLOSED"]);
    const [active, passive] = [server.connection.statesAfter("ESTABLISHED"), client.socket.statesAfter("ESTABLISHED")];
    return holds(`The server, which closed first: ${active.join(", ")}. The client: ${passive.join(", ")}.`);
  },
};
