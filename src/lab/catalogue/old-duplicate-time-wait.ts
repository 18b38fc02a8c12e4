import { holds, type Experiment } from "../experiment.ts";
import { PORT } from "../openings.ts";
import { endsOf, FROM, incarnation, stray } from "../old-duplicate.ts";

/** A9: with TIME-WAIT there is no new incarnation, so an old duplicate finds nobody that could take it for new. */
export const oldDuplicateTimeWait: Experiment = {
  id: "old-duplicate-time-wait",
  title: "During TIME-WAIT there is no new connection for an old duplicate",
  claims: ["A9"],
  article:
    "TIME-WAIT lets the old duplicates of a connection die out before there can be a new incarnation of it, which would " +
    "take them for its own.",
  *story(lab) {
    const ends = yield* endsOf(lab, { timestamps: false });
    const { client, server } = yield* incarnation(ends);
    lab.say("A segment strays: it is sent again, but the first copy of it is still on its way");
    yield* stray(lab, { client, server }, "move 900 to B (old)", "old");
    lab.say("The client closes first, then the server");
    yield* client.close();
    yield* server.close();
    yield* client.reaches("TIME-WAIT");
    const again = yield* ends.client.process.tryConnect(ends.server.host, PORT, { from: FROM });
    lab.expect("connecting from the same port again", again, { code: "EADDRNOTAVAIL", step: "connect" });
    lab.say("The old segment arrives");
    yield* lab.wire.release("old");
    lab.expect("the server's answer", lab.wire.lastSent({ from: "server" }).flags, ["RST"]);
    lab.expect("what the server's program can do", yield* ends.server.listener.poll(), []);
    lab.expect("the client's state", client.state, "TIME-WAIT");
    return holds(
      "While the client was in TIME-WAIT, connecting from its port failed with EADDRNOTAVAIL; the old segment was answered " +
        "with a RST and delivered to nobody.",
    );
  },
};
