import { holdsPartly, type Experiment } from "../experiment.ts";
import { knock } from "../reconnection.ts";

/**
 * A9: a SYN that may be old: TIME-WAIT does not accept it. Yet the ACK that it is answered with draws a RST from the
 * client, which ends TIME-WAIT (RFC 1337), so that the next SYN finds the way free.
 */
export const synIntoTimeWaitRefused: Experiment = {
  id: "syn-into-time-wait-refused",
  title: "A SYN with a lower sequence number is refused once",
  claims: ["A9"],
  article: "While one end is in TIME-WAIT there can be no new incarnation of the connection.",
  *story(lab) {
    const { made, connecting } = yield* knock(lab, 0);
    lab.expect("the old connection's state", made.server.connection.state, "CLOSED");
    lab.say("The client sends its SYN again");
    yield* made.client.process.succeed(connecting);
    const connection = yield* made.server.listener.accept();
    lab.expect("the new connection's state", connection.state, "ESTABLISHED");
    return holdsPartly(
      "TIME-WAIT refused a SYN with a lower sequence number, by an ACK. The client answered that with a RST, which ended " +
        "TIME-WAIT, and the same SYN, sent again, was accepted: so it is by default (tcp_rfc1337 = 0).",
    );
  },
};
