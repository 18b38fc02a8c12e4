import { holdsPartly, type Experiment } from "../experiment.ts";
import { connected } from "../openings.ts";
import { secondsLeft } from "../timers.ts";

/** The first retransmission comes no sooner, milliseconds (RTO_MIN is 200); TIME-WAIT's timer runs down meanwhile. */
const RUN_DOWN_MS = 100;

/** A7: 2 MSL is counted from the last FIN that came, not from the first (RFC 9293 section 3.10.7.4, eighth step). */
export const timeWaitRestarts: Experiment = {
  id: "time-wait-restarts",
  title: "A FIN that comes again starts TIME-WAIT's timer again",
  claims: ["A7", "A8"],
  article: "The end that closes first stays in TIME-WAIT for 2 MSL.",
  *story(lab) {
    const { client, server } = yield* connected(lab);
    lab.say("The last ACK is lost, so the client will send its FIN again; the wire keeps that one for the moment");
    yield* server.connection.close();
    yield* server.connection.reaches("FIN-WAIT-2");
    lab.wire.drop({ from: "server", has: ["ACK"], lacks: ["FIN"] }, { times: 1 });
    lab.wire.hold({ from: "client", has: ["FIN"] }, "FIN again", { skip: 1 });
    yield* client.socket.close();
    yield* server.connection.reaches("TIME-WAIT");
    const first = server.connection.timer!.leftMs;
    yield* lab.until("the client has sent its FIN again", () => lab.wire.held("FIN again") > 0);
    const before = server.connection.timer!.leftMs;
    lab.expect(`TIME-WAIT's timer has run down by ${RUN_DOWN_MS} ms or more`, first - before >= RUN_DOWN_MS, true);
    yield* lab.wire.release("FIN again");
    lab.expect("TIME-WAIT's timer has more time left than before", server.connection.timer!.leftMs > before, true);
    lab.expect("seconds that are left", secondsLeft(server.connection), 60);
    return holdsPartly(
      `TIME-WAIT's timer had run down by ${first - before} ms when the FIN came again, and began at ` +
        `${secondsLeft(server.connection)} s again: it is 2 MSL from the last segment that came.`,
    );
  },
};
