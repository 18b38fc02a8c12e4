import { holdsPartly, type Experiment } from "../experiment.ts";
import { connected, PORT } from "../openings.ts";
import { secondsLeft } from "../timers.ts";

/**
 * A7: how long TIME-WAIT lasts. Much advice has it that tcp_fin_timeout shortens it; the timer itself says otherwise. That
 * parameter is about FIN-WAIT-2: see fin-timeout.
 */
export const timeWaitLength: Experiment = {
  id: "time-wait-length",
  title: "TIME-WAIT lasts as long, whatever tcp_fin_timeout says",
  claims: ["A7"],
  article: "The end that closes first stays in TIME-WAIT for 2 MSL before it is CLOSED.",
  *story(lab) {
    const { client, server } = yield* connected(lab);
    for (const seconds of [60, 1, 240]) {
      yield* server.host.set("net.ipv4.tcp_fin_timeout", seconds);
      const socket = yield* client.process.connect(server.host, PORT);
      const connection = yield* server.listener.accept();
      yield* connection.close();
      yield* socket.close();
      yield* connection.reaches("TIME-WAIT");
      lab.expect("the timer that runs", connection.timer?.kind, "timewait");
      lab.expect(`seconds left with tcp_fin_timeout ${seconds}`, secondsLeft(connection), 60);
    }
    return holdsPartly(
      "TIME-WAIT's timer began at 60 s with tcp_fin_timeout 60, 1 and 240. It is a constant of this kernel, and 2 MSL only if " +
        "MSL is 30 s; RFC 9293 says 2 minutes.",
    );
  },
};
