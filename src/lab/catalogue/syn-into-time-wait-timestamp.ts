import { holdsPartly, type Experiment } from "../experiment.ts";
import { compareSynWithFin, lowerSequenceNumbers, reconnect, restingInTimeWait } from "../reconnection.ts";

/** A9: RFC 6191: a SYN with a later timestamp can't be old, whatever its sequence number. */
export const synIntoTimeWaitTimestamp: Experiment = {
  id: "syn-into-time-wait-timestamp",
  title: "A SYN with a later timestamp ends TIME-WAIT",
  claims: ["A9"],
  article: "While one end is in TIME-WAIT there can be no new incarnation of the connection.",
  *story(lab) {
    const made = yield* restingInTimeWait(lab, { "net.ipv4.tcp_timestamps": 1 });
    lab.say("Timestamps count milliseconds: let one go by");
    yield* lab.elapse(2);
    lab.say("The client connects again from the same port, with a lower sequence number and a later timestamp");
    lowerSequenceNumbers(lab);
    yield* made.client.process.succeed(yield* reconnect(made));
    lab.expect("the new SYN, beside the old FIN", compareSynWithFin(lab), { seq: "behind", timestamp: "later" });
    lab.expect("the old connection's state", made.server.connection.state, "CLOSED");
    return holdsPartly(
      "A SYN with a later timestamp than the old connection's ended TIME-WAIT although its sequence number was lower, and " +
        "the new connection came about at once.",
    );
  },
};
