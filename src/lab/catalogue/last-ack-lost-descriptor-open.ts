import { holds, type Experiment } from "../experiment.ts";
import type { Socket } from "../process.ts";
import type { Story } from "../story.ts";
import { connected, PORT } from "../openings.ts";

type Question = "read" | "write" | "SO_ERROR";

/** What a program gets that asks in this order, after what poll says. */
function* answers(socket: Socket, order: readonly Question[]): Story<string[]> {
  const got = [`poll: ${(yield* socket.poll()).join(" ")}`];
  for (const question of order) {
    if (question === "SO_ERROR") got.push(`SO_ERROR: ${yield* socket.error()}`);
    if (question === "write") got.push(`write: ${yield* socket.write("?")}`);
    if (question === "read") {
      const { code, length } = yield* socket.read();
      got.push(`read: ${code === "ok" && length === 0 ? "end" : code}`);
    }
  }
  return got;
}

const RESET = "poll: IN OUT ERR HUP RDHUP";

/**
 * A8: what exactly a program sees of the RST, if it has only shut its connection down and keeps the descriptor. The error
 * is told once, to the first that asks for it; read never does, since the end of the data came before.
 */
export const lastAckLostDescriptorOpen: Experiment = {
  id: "last-ack-lost-descriptor-open",
  title: "What the other end's program sees of the missing TIME-WAIT",
  claims: ["A8"],
  article: "Without TIME-WAIT the FIN that comes again is answered with a RST, which the other end takes for an error.",
  *story(lab) {
    const { client, server } = yield* connected(lab);
    const connections = [{ here: client.socket, there: server.connection }];
    while (connections.length < 4) {
      const here = yield* client.process.connect(server.host, PORT);
      connections.push({ here, there: yield* server.listener.accept() });
    }
    lab.say("The server closes four connections, the client shuts them down, and the last ACK of each is lost");
    for (const { there } of connections) yield* there.close();
    for (const { there } of connections) yield* there.reaches("FIN-WAIT-2");
    const losing = lab.wire.drop({ from: "server", has: ["ACK"], lacks: ["FIN", "RST"] });
    for (const { here } of connections) yield* here.shutdown();
    for (const { there } of connections) yield* there.reaches("TIME-WAIT");
    lab.say("Three of the four TIME-WAITs are removed");
    for (const { there } of connections.slice(1)) yield* there.destroy();
    lab.wire.remove(losing);
    for (const { here } of connections) yield* here.reaches("CLOSED");
    const [kept, ...reset] = connections.map(({ here }) => here);
    lab.expect("with TIME-WAIT", yield* answers(kept!, ["SO_ERROR", "read", "write"]), [
      "poll: IN OUT HUP RDHUP",
      "SO_ERROR: ok",
      "read: end",
      "write: EPIPE",
    ]);
    lab.expect("without, SO_ERROR first", yield* answers(reset[0]!, ["SO_ERROR", "SO_ERROR", "read", "write"]), [
      RESET,
      "SO_ERROR: ECONNRESET",
      "SO_ERROR: ok",
      "read: end",
      "write: EPIPE",
    ]);
    lab.expect("without, read first", yield* answers(reset[1]!, ["read", "write", "write", "SO_ERROR"]), [
      RESET,
      "read: end",
      "write: ECONNRESET",
      "write: EPIPE",
      "SO_ERROR: ok",
    ]);
    lab.expect("without, write first", yield* answers(reset[2]!, ["write", "SO_ERROR", "read", "write"]), [
      RESET,
      "write: ECONNRESET",
      "SO_ERROR: ok",
      "read: end",
      "write: EPIPE",
    ]);
    return holds(
      "With TIME-WAIT the client's program saw a clean end. Without it poll said ERR, and SO_ERROR or the first write said " +
        "ECONNRESET, once; read said the end of the data all the same.",
    );
  },
};
