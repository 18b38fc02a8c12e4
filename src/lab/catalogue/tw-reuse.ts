import { holdsPartly, type Experiment } from "../experiment.ts";
import { fewPorts, useUpPort } from "../exhaustion.ts";
import type { Code } from "../process.ts";

const DELAY_MS = 1;

/**
 * A9: a client may take a port out of TIME-WAIT where timestamps tell old segments from new ones (tcp_tw_reuse). On
 * connections that have none it waits.
 */
export const twReuse: Experiment = {
  id: "tw-reuse",
  title: "A client uses a port that is in TIME-WAIT",
  claims: ["A9"],
  article: "As long as one end is in TIME-WAIT, the connection between the same ends can't be made again.",
  *story(lab) {
    const { client, clientHost, server, listeners } = yield* fewPorts(lab, 1);
    yield* clientHost.set("net.ipv4.tcp_tw_reuse_delay", DELAY_MS);
    const codes: Code[] = [];
    for (const timestamps of [1, 0]) {
      const listener = listeners[1 - timestamps]!;
      yield* clientHost.set("net.ipv4.tcp_timestamps", timestamps);
      lab.say(`The client's only port rests in TIME-WAIT, ${timestamps ? "with" : "without"} timestamps`);
      const old = yield* useUpPort(client, server, listener);
      yield* lab.elapse(DELAY_MS + 10);
      for (const reuse of [0, 1]) {
        yield* clientHost.set("net.ipv4.tcp_tw_reuse", reuse);
        const { code } = yield* client.tryConnect(server, listener.port);
        codes.push(code);
        lab.expect(`connect with tcp_tw_reuse = ${reuse}`, code, timestamps && reuse ? "ok" : "EADDRNOTAVAIL");
        lab.expect("the old connection's state", old.state, code === "ok" ? "CLOSED" : "TIME-WAIT");
      }
    }
    return holdsPartly(
      `With tcp_tw_reuse = 0 connect failed with ${codes[0]}; with 1 it took the port out of TIME-WAIT, as the old ` +
        `connection had timestamps. Without timestamps it failed with ${codes[3]} again. (tcp_tw_recycle, which did so for ` +
        "connections from outside as well, cut off clients behind one NAT, and is gone since Linux 4.12.)",
    );
  },
};
