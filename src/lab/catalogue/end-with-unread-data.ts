import { holdsPartly, type Experiment } from "../experiment.ts";
import { inShort } from "../lab-wire.ts";
import { connected } from "../openings.ts";

/**
 * A4: a process that ends before it has read all. A FIN would tell the peer that its data had arrived at the program; so
 * a RST is sent instead (RFC 9293 section 3.6.1, RFC 2525 section 2.17).
 */
export const endWithUnreadData: Experiment = {
  id: "end-with-unread-data",
  title: "A process ends with data unread",
  claims: ["A4"],
  article: "When a process ends, a FIN goes out on each open connection.",
  *story(lab) {
    const { client, server } = yield* connected(lab, { mortal: ["server"] });
    yield* client.socket.write("I am client");
    lab.expect("bytes that the server has not read", yield* server.connection.queued("SIOCINQ"), 11);
    const before = lab.wire.sent({ from: "server" }).length;
    yield* server.process.kill("SIGTERM");
    yield* client.socket.reaches("CLOSED");
    const sent = inShort(lab.wire.sent({ from: "server" }).slice(before));
    lab.expect("what the server's host sent", sent, ["server RST,ACK"]);
    const gave = yield* client.socket.readInShort();
    lab.expect("what the client reads", gave, "ECONNRESET");
    lab.expect("the server's end", server.connection.state, "CLOSED");
    return holdsPartly(
      `With data unread there was no FIN but a RST, at once: the client's read failed with ${gave}, and no TIME-WAIT was left.`,
    );
  },
};
