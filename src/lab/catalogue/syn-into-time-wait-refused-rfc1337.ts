import { holds, type Experiment } from "../experiment.ts";
import { knock } from "../reconnection.ts";

/** A9: a SYN that may be old, and a TIME-WAIT that ignores RSTs: the client knocks in vain. */
export const synIntoTimeWaitRefusedRfc1337: Experiment = {
  id: "syn-into-time-wait-refused-rfc1337",
  title: "A SYN with a lower sequence number is refused as long as TIME-WAIT lasts",
  claims: ["A9"],
  article: "While one end is in TIME-WAIT there can be no new incarnation of the connection.",
  *story(lab) {
    const { made, connecting } = yield* knock(lab, 1);
    const { connection } = made.server;
    lab.expect("the old connection's state", connection.state, "TIME-WAIT");
    const syns = (from: string) => lab.wire.sent({ from, has: ["SYN"] }).length;
    yield* lab.until("the client sends its SYN again", () => syns("client") >= 3);
    lab.expect("the old connection's state", connection.state, "TIME-WAIT");
    lab.expect("SYNs that the server has sent: only that of the old connection", syns("server"), 1);
    lab.expect("whether connect has returned", connecting.result !== undefined, false);
    return holds(
      "With tcp_rfc1337 = 1 TIME-WAIT refused a SYN with a lower sequence number, ignored the RST that this led to, and " +
        "refused the SYN again when it was repeated.",
    );
  },
};
