import { holdsPartly, type Experiment } from "../experiment.ts";
import { PORT } from "../openings.ts";

/** Any user but the one who runs the experiment. */
const SOMEBODY_ELSE = 65_534;

/** A15: SO_REUSEPORT shares a port among the servers of one user. Otherwise anybody could take clients from any server. */
export const reuseportOtherUser: Experiment = {
  id: "reuseport-other-user",
  title: "SO_REUSEPORT and another user",
  claims: ["A15"],
  article: "Two TCP servers can never be bound to the same address and port.",
  *story(lab) {
    const server = yield* lab.host("server");
    const first = yield* server.process("server 1");
    const second = yield* server.process("server 2", { mortal: true });
    yield* first.listen(PORT, { reusePort: true });
    const own = yield* second.listen(PORT, { reusePort: true });
    lab.expect("a second server of the same user", own.state, "LISTEN");
    yield* own.close();

    lab.say("The second server becomes another user, and tries again");
    yield* second.setUid(SOMEBODY_ELSE);
    const attempt = yield* second.tryListen(PORT, { reusePort: true });
    lab.expect("a second server of another user", attempt, { code: "EADDRINUSE", step: "bind" });
    return holdsPartly(
      "With SO_REUSEPORT a second server of the same user listened at the same port; as another user it failed to bind " +
        "with EADDRINUSE.",
    );
  },
};
