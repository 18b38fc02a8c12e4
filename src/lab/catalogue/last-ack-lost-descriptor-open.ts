import { holds, type Experiment } from "../experiment.ts";
import { connected, PORT } from "../openings.ts";
import type { Socket } from "../process.ts";
import type { Story } from "../story.ts";

/** What a program is told, in the order in which it asks: one connection that has its TIME-WAIT, three without. */
const TOLD = [
  ["poll: IN OUT HUP RDHUP", "SO_ERROR: ok", "read: end", "write: EPIPE"],
  ["poll: IN OUT ERR HUP RDHUP", "SO_ERROR: ECONNRESET", "SO_ERROR: ok", "read: end", "write: EPIPE"],
  ["poll: IN OUT ERR HUP RDHUP", "read: end", "write: ECONNRESET", "write: EPIPE", "SO_ERROR: ok"],
  ["poll: IN OUT ERR HUP RDHUP", "write: ECONNRESET", "SO_ERROR: ok", "read: end", "write: EPIPE"],
];

function* ask(socket: Socket, question: string): Story<string> {
  if (question === "poll") return (yield* socket.poll()).join(" ");
  if (question === "SO_ERROR") return yield* socket.error();
  if (question === "write") return `${yield* socket.write("?")}`;
  const { code, length } = yield* socket.read();
  return code === "ok" && length === 0 ? "end" : code;
}

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
    while (connections.length < TOLD.length) {
      const here = yield* client.process.connect(server.host, PORT);
      connections.push({ here, there: yield* server.listener.accept() });
    }
    lab.say("The server closes four connections, the client shuts them down, and the last ACK of each is lost");
    for (const { there } of connections) yield* there.close();
    for (const { there } of connections) yield* there.reaches("FIN-WAIT-2");
    const losing = lab.wire.drop({ from: "server", has: ["ACK"], lacks: ["FIN", "RST"] });
    for (const { here } of connections) yield* here.shutdown();
    for (const { there } of connections) yield* there.reaches("TIME-WAIT");
    lab.say("All TIME-WAITs but the first are removed");
    for (const { there } of connections.slice(1)) yield* there.destroy();
    lab.wire.remove(losing);
    for (const { here } of connections) yield* here.reaches("CLOSED");
    for (const [i, { here }] of connections.entries()) {
      const told: string[] = [];
      for (const expected of TOLD[i]!) {
        const question = expected.split(":")[0]!;
        told.push(`${question}: ${yield* ask(here, question)}`);
      }
      lab.expect(`${here.id}, ${i === 0 ? "with" : "without"} TIME-WAIT`, told, TOLD[i]);
    }
    return holds(
      "With TIME-WAIT the client's program saw a clean end. Without it poll said ERR, and SO_ERROR or the first write said " +
        "ECONNRESET, once; read said the end of the data all the same.",
    );
  },
};
