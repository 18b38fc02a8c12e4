import { holdsPartly, type Experiment } from "../experiment.ts";
import { PORT } from "../openings.ts";

const GREETING = "I am server".padEnd(20, "\0");
const WRITES = 14_548;

/**
 * A10: the very numbers of the document's netstat. Its server writes 20 bytes at a time; here 14,548 of these writes are
 * told as one. The queue that netstat shows is one longer, since it counts the FIN, which no program can read.
 */
export const unread290960: Experiment = {
  id: "unread-290960",
  title: "CLOSE-WAIT with 290,960 bytes that nobody reads",
  claims: ["A10"],
  article:
    "The client that does not read is in CLOSE_WAIT with 290,960 bytes in its receive queue, the server in FIN_WAIT_2.",
  *story(lab) {
    const { client, server } = yield* lab.hosts();
    lab.say("The client's system may keep more than is usual for a program that does not read");
    yield* client.set("net.ipv4.tcp_rmem", "4096 2097152 33554432");
    const serving = yield* server.process("server");
    const listener = yield* serving.listen(PORT);
    const asking = yield* client.process("client");
    const socket = yield* asking.connect(server, PORT);
    const connection = yield* listener.accept();
    lab.say("The server writes its 20 bytes 14,548 times, and ends");
    const length = GREETING.length * WRITES;
    lab.expect("bytes that the server wrote", yield* connection.write({ repeat: GREETING, length }), 290_960);
    yield* connection.close();
    yield* listener.close();
    yield* connection.reaches("FIN-WAIT-2");
    lab.expect("the client's state", socket.state, "CLOSE-WAIT");
    lab.expect("bytes that the client can read (SIOCINQ)", yield* socket.queued("SIOCINQ"), 290_960);
    lab.expect("the receive queue as the kernel lists it", socket.receiveQueue, 290_961);
    const restarted = yield* server.process("server again");
    lab.expect("the server again", yield* restarted.tryListen(PORT), { code: "EADDRINUSE", step: "bind" });
    return holdsPartly(
      "FIN-WAIT-2, and CLOSE-WAIT with 290,960 bytes to read, listed as 290,961 since the FIN counts; bind failed. It took a " +
        "larger receive buffer: with the usual one the server stays in FIN-WAIT-1, see flood-fin-wait-1.",
    );
  },
};
