import { assassinate } from "../assassination.ts";
import { holdsPartly, type Experiment } from "../experiment.ts";

/** A7, A9: TIME-WAIT is there to outlive old duplicates. One of them can end it: RFC 1337's assassination. */
export const assassination: Experiment = {
  id: "assassination",
  title: "An old duplicate ends TIME-WAIT",
  claims: ["A7", "A9"],
  article: "TIME-WAIT lasts 2 MSL, so that old duplicates die out before the connection can come to life again.",
  *story(lab) {
    const { server } = yield* assassinate(lab, 0);
    lab.expect("the server's state", server.connection.state, "CLOSED");
    return holdsPartly(
      "An old duplicate drew an ACK, the client answered it with a RST, and that ended TIME-WAIT at once: so it is by " +
        "default (tcp_rfc1337 = 0).",
    );
  },
};
