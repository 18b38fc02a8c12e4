import { holdsPartly, type Experiment } from "../experiment.ts";
import { compareSynWithFin, reconnect, restingInTimeWait } from "../reconnection.ts";

/** A9: RFC 1122, 4.2.2.13: a SYN beyond the old connection's numbers can't be old, and may be accepted in TIME-WAIT. */
export const synIntoTimeWaitIsn: Experiment = {
  id: "syn-into-time-wait-isn",
  title: "A SYN with a higher sequence number ends TIME-WAIT",
  claims: ["A9"],
  article: "While one end is in TIME-WAIT there can be no new incarnation of the connection.",
  *story(lab) {
    const made = yield* restingInTimeWait(lab, { "net.ipv4.tcp_timestamps": 0 });
    lab.say("The client connects again from the same port; there are no timestamps, so the sequence number decides");
    yield* made.client.process.succeed(yield* reconnect(made));
    lab.expect("the new SYN, beside the old FIN", compareSynWithFin(lab), { seq: "ahead", timestamp: "none" });
    lab.expect("the old connection's state", made.server.connection.state, "CLOSED");
    return holdsPartly(
      "A SYN whose sequence number lay ahead of all that the old connection had used ended TIME-WAIT, and the new " +
        "connection came about at once.",
    );
  },
};
