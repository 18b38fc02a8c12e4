import { doesNotHold, type Experiment } from "../experiment.ts";
import { connected } from "../openings.ts";

/** A6: who acknowledges. It is the kernel, for itself: an ACK says that the segment has arrived, not that anybody read. */
export const finAckedWithoutRead: Experiment = {
  id: "fin-acked-without-read",
  title: "A FIN is acknowledged, and nobody has read",
  claims: ["A6"],
  article: "In CLOSE-WAIT the client's read returns 0, and then the FIN is acknowledged.",
  *story(lab) {
    const { client, server } = yield* connected(lab);
    yield* server.connection.close();
    lab.say("The client makes no call at all");
    yield* server.connection.reaches("FIN-WAIT-2");
    lab.expect("the client's state", client.socket.state, "CLOSE-WAIT");
    const [fin] = lab.wire.sent({ from: "server", has: ["FIN"] });
    const acks = lab.wire.sent({ from: "client", has: ["ACK"] }).filter(({ ack }) => ack === (fin!.seq + 1) >>> 0);
    lab.expect("ACKs of the FIN, before any read", acks.length, 1);
    const before = lab.wire.sent().length;
    lab.expect("what a read gives now", yield* client.socket.readInShort(), "end of stream");
    lab.expect("segments that the read has sent", lab.wire.sent().length - before, 0);
    const ms = Math.round((acks[0]!.tUs - fin!.tUs) / 1000);
    return doesNotHold(
      `The client's kernel acknowledged the FIN ${ms} ms after it was sent, while its program made no call; the read that ` +
        "returned 0 came later and sent nothing.",
    );
  },
};
