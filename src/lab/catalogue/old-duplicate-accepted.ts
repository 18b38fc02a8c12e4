import { holds, type Experiment } from "../experiment.ts";
import { endsOf, newWithOld } from "../old-duplicate.ts";

const OLD = "move 900 to B (old)";
const NEW = "move 100 to A (new)";

/**
 * A9: what TIME-WAIT is there for, second reason. Without it, and without timestamps, a program reads what was said in an
 * earlier connection, and never gets what is said in this one; nobody is told of an error.
 */
export const oldDuplicateAccepted: Experiment = {
  id: "old-duplicate-accepted",
  title: "Without TIME-WAIT an old duplicate is taken for new data",
  claims: ["A9"],
  article:
    "TIME-WAIT lets the old duplicates of a connection die out before there can be a new incarnation of it, which would " +
    "take them for its own.",
  *story(lab) {
    const ends = yield* endsOf(lab, { timestamps: false });
    const { client, server, held } = yield* newWithOld(lab, ends, OLD);
    lab.expect("bytes that wait to be read", server.receiveQueue, 0);
    lab.say("The old segment arrives, in the new connection");
    yield* lab.wire.release(held);
    lab.expect("what the server reads", (yield* server.read()).text, OLD);
    lab.say("Now the client writes: its bytes have the same sequence numbers, so they are taken for a repetition");
    lab.expect("how many bytes it writes", yield* client.write(NEW), NEW.length);
    yield* lab.until("all that the client wrote is acknowledged", () => client.sendQueue === 0);
    lab.expect("what the server can read", (yield* server.poll()).includes("IN"), false);
    lab.expect("the client's error", yield* client.error(), "ok");
    lab.expect("the server's error", yield* server.error(), "ok");
    return holds(
      `TIME-WAIT was bypassed by a RST, and in the new connection from the same port the server read “${OLD}” of the old one. ` +
        `“${NEW}” was acknowledged and never read.`,
    );
  },
};
