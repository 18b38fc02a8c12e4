import { holds, type Experiment } from "../experiment.ts";
import { hopsOf } from "../lab-wire.ts";
import { connected } from "../openings.ts";

const HELD_MS = 300;

/**
 * A16: waiting takes no hop away. RFC 791 meant the TTL as seconds of which each router takes at least one, but routers
 * only ever counted, the lab's like all others, and IPv6 calls the field a hop limit (RFC 8200). Nothing in a packet bounds
 * its age, then: an MSL of two minutes is a choice (RFC 9293), and TIME-WAIT rests on it.
 */
export const ttlIsNotTime: Experiment = {
  id: "ttl-is-not-time",
  title: "A segment grows old and does not die",
  claims: ["A16"],
  article: "How long a datagram lives in the network is limited by a count of hops, of at most 255, not by a time.",
  *story(lab) {
    const { client, server } = yield* connected(lab);
    lab.wire.routers(2);
    lab.say("The client's segments have as many hops as they need, and not one to spare");
    yield* client.socket.set("IP_TTL", 3);
    lab.wire.hold({ from: "client", payload: true }, "old");
    yield* client.socket.write("I am client");
    yield* lab.elapse(HELD_MS);
    yield* lab.wire.release("old", 1);
    const [old] = lab.wire.sent({ from: "client", payload: true });
    lab.expect("its hops", hopsOf(old!), 3);
    lab.expect("it was delivered", old!.delivered, true);
    lab.expect("what the server reads", yield* server.connection.readInShort(), "I am client");
    return holds(
      `A segment with just enough hops was held back for ${HELD_MS} ms and was delivered: the time had taken none of them.`,
    );
  },
};
