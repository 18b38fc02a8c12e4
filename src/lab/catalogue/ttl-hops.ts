import { holds, type Experiment } from "../experiment.ts";
import { hopsOf } from "../lab-wire.ts";
import { connected } from "../openings.ts";
import { codeOf } from "../process.ts";

const ROUTERS = 10;

/** A16: what ends the life of a packet. Each router takes one hop from its TTL, and discards it at the last. */
export const ttlHops: Experiment = {
  id: "ttl-hops",
  title: "A segment runs out of hops",
  claims: ["A16"],
  article: "How long a datagram lives in the network is limited by a count of hops, of at most 255, not by a time.",
  *story(lab) {
    const { client, server } = yield* connected(lab);
    lab.wire.routers(ROUTERS);
    lab.say("The client's host gives its packets as many hops as there are routers on the way");
    yield* client.host.set("net.ipv4.ip_default_ttl", ROUTERS);
    yield* client.socket.write("I am client");
    const [lost] = lab.wire.sent({ from: "client", payload: true });
    lab.expect("the segment's hops", hopsOf(lost!), ROUTERS);
    lab.expect("whether it died on the way", lost!.expired, true);
    lab.say("It is sent again, with one hop more");
    yield* client.socket.set("IP_TTL", ROUTERS + 1);
    lab.expect("what the server reads", yield* server.connection.readInShort(), "I am client");
    const came = lab.wire.sent({ from: "client", payload: true }).find(({ delivered }) => delivered);
    lab.expect("the segment's hops", hopsOf(came!), ROUTERS + 1);
    lab.say("How many there can be");
    for (const [hops, code] of [
      [255, "ok"],
      [256, "EINVAL"],
    ] as const) {
      const { fd, process } = client.socket;
      const result = yield* process.call({ name: "setsockopt", fd, option: "IP_TTL", value: hops });
      lab.expect(`setting IP_TTL to ${hops}`, codeOf(result), code);
    }
    return holds(
      `With ${hopsOf(lost!)} hops the segment died at the last of ${ROUTERS} routers, with ${hopsOf(came!)} it arrived; ` +
        "255 was the most that could be set.",
    );
  },
};
