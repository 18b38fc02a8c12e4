import { holdsPartly, type Experiment } from "../experiment.ts";
import { endsOf, newWithOld } from "../old-duplicate.ts";

const OLD = "move 900 to B (old)";
const NEW = "move 100 to A (new)";

/**
 * A9: timestamps protect as TIME-WAIT does (PAWS, RFC 7323 section 5): a segment whose timestamp is older than the last
 * one's is an old duplicate. Both ends of most connections have them.
 */
export const oldDuplicatePaws: Experiment = {
  id: "old-duplicate-paws",
  title: "Without TIME-WAIT, timestamps still tell an old duplicate",
  claims: ["A9"],
  article:
    "TIME-WAIT lets the old duplicates of a connection die out before there can be a new incarnation of it, which would " +
    "take them for its own.",
  *story(lab) {
    const ends = yield* endsOf(lab, { timestamps: true });
    const { client, server, held } = yield* newWithOld(lab, ends, OLD);
    const before = yield* ends.server.host.counter("PAWSEstab");
    lab.say("The old segment arrives, in the new connection");
    yield* lab.wire.release(held);
    lab.expect("what the server can read", (yield* server.poll()).includes("IN"), false);
    lab.expect("segments refused by timestamp", (yield* ends.server.host.counter("PAWSEstab")) - before, 1);
    yield* client.write(NEW);
    lab.expect("what the server reads", (yield* server.read()).text, NEW);
    return holdsPartly(
      "TIME-WAIT was bypassed by a RST, and the old segment fitted into the new connection by its numbers; it was refused " +
        "because its timestamp was older (PAWSEstab). Without timestamps it is taken: see old-duplicate-accepted.",
    );
  },
};
