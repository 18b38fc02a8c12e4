import { holdsPartly, type Experiment } from "../experiment.ts";
import { connected } from "../openings.ts";
import type { ReadResult } from "../process.ts";

/** How much is written: more than the client takes, less than the server's buffer. */
const LENGTH = 10_000;

/** A4, A10: the FIN comes after all data, and those wait for a client that does not read. */
export const endBehindZeroWindow: Experiment = {
  id: "end-behind-zero-window",
  title: "A process ends with data unsent",
  claims: ["A4", "A10"],
  article: "When a process ends, a FIN goes out on each open connection.",
  *story(lab) {
    const { client, server } = yield* connected(lab, {
      mortal: ["server"],
      connect: { options: { SO_RCVBUF: 4096 } },
    });
    lab.say("The server writes more than the client, which does not read, has room for");
    yield* server.connection.write({ repeat: "I am server", length: LENGTH });
    yield* lab.until("the client's window is shut", () => server.connection.timer?.kind === "persist");
    yield* server.process.kill("SIGTERM");
    yield* server.connection.reaches("FIN-WAIT-1");
    const finSent = () => lab.wire.sent({ from: "server", has: ["FIN"] }).length > 0;
    lab.expect("whether the server's host has sent a FIN", finSent(), false);
    lab.expect("the server's timer", server.connection.timer?.kind, "persist");
    lab.expect("the client's state", client.socket.state, "ESTABLISHED");
    const unread = yield* client.socket.queued("SIOCINQ");

    lab.say("The client begins to read: what was left behind by the dead process comes, and then its FIN");
    let length = 0;
    let last: ReadResult;
    while ((last = yield* client.socket.read()).length > 0) length += last.length;
    lab.expect("how reading ends", last.code, "ok");
    lab.expect("bytes read up to the end of the stream", length, LENGTH);
    lab.expect("whether the server's host has sent a FIN", finSent(), true);
    yield* server.connection.reaches("FIN-WAIT-2");
    return holdsPartly(
      `The process was gone and no FIN was on the wire: with ${LENGTH - unread} bytes unsent behind a shut window its end ` +
        "stayed in FIN-WAIT-1, the client's in ESTABLISHED. The FIN came when the client had read.",
    );
  },
};
