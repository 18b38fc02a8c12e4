import { assassinate } from "../assassination.ts";
import { holds, type Experiment } from "../experiment.ts";

/** A7, A9: the cure that RFC 1337 proposes: in TIME-WAIT, RSTs are ignored. */
export const assassinationRfc1337: Experiment = {
  id: "assassination-rfc1337",
  title: "TIME-WAIT that ignores RSTs",
  claims: ["A7", "A9"],
  article: "TIME-WAIT lasts 2 MSL, so that old duplicates die out before the connection can come to life again.",
  *story(lab) {
    const { server } = yield* assassinate(lab, 1);
    lab.expect("the server's state", server.connection.state, "TIME-WAIT");
    return holds(
      "With tcp_rfc1337 = 1 an old duplicate drew an ACK, the client answered it with a RST, and TIME-WAIT ignored it.",
    );
  },
};
