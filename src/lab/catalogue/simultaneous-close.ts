import { holdsPartly, type Experiment } from "../experiment.ts";
import { connected } from "../openings.ts";

/** A6: both close first. The FINs cross on the wire, and both ends go a way that the document does not have. */
export const simultaneousClose: Experiment = {
  id: "simultaneous-close",
  title: "Both ends close at the same time",
  claims: ["A6"],
  article:
    "One end is the active one, and goes through FIN-WAIT-1, FIN-WAIT-2 and TIME-WAIT; the other one is passive.",
  *story(lab) {
    const { client, server } = yield* connected(lab);
    lab.wire.hold({ has: ["FIN"] }, "FINs");
    yield* client.socket.close();
    yield* server.connection.close();
    lab.say("Both FINs are on the wire, and pass each other");
    lab.expect("the states", [client.socket.state, server.connection.state], ["FIN-WAIT-1", "FIN-WAIT-1"]);
    yield* lab.wire.release("FINs");
    const states = ["FIN-WAIT-1", "CLOSING", "TIME-WAIT"];
    for (const socket of [client.socket, server.connection]) {
      lab.expect(`the states of ${socket.id}`, socket.statesAfter("ESTABLISHED"), states);
    }
    return holdsPartly(
      `Where the FINs cross there is no passive end: both went through ${states.join(", ")}, and both wait.`,
    );
  },
};
