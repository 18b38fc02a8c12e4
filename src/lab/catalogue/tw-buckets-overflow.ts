import { holdsPartly, type Experiment } from "../experiment.ts";
import { connected, PORT } from "../openings.ts";

/** A6, A7: a host keeps so many connections in TIME-WAIT and no more (tcp_max_tw_buckets); the next one does without. */
export const twBucketsOverflow: Experiment = {
  id: "tw-buckets-overflow",
  title: "No room for another TIME-WAIT",
  claims: ["A6", "A7"],
  article: "Who closes first comes to TIME-WAIT, and stays there for 2 MSL.",
  *story(lab) {
    const { client, server } = yield* connected(lab, { set: { "net.ipv4.tcp_max_tw_buckets": 1 } });
    const second = yield* client.process.connect(server.host, PORT);
    const pairs = [
      [client.socket, server.connection],
      [second, yield* server.listener.accept()],
    ] as const;
    const before = yield* server.host.counter("TCPTimeWaitOverflow");
    lab.say("The server has room for one connection in TIME-WAIT; it closes two");
    for (const [asking, serving] of pairs) {
      yield* serving.shutdown();
      yield* serving.reaches("FIN-WAIT-2");
      yield* asking.close();
      yield* asking.reaches("CLOSED");
    }
    const states = pairs.map(([, serving]) => serving.state);
    lab.expect("the states of the two", states, ["TIME-WAIT", "CLOSED"]);
    const overflows = (yield* server.host.counter("TCPTimeWaitOverflow")) - before;
    lab.expect("by how much TCPTimeWaitOverflow has grown", overflows, 1);
    return holdsPartly(
      `With tcp_max_tw_buckets = 1 the first connection came to ${states[0]}; the second, closed the same way, was ` +
        `${states[1]} at once. TCPTimeWaitOverflow counted ${overflows}.`,
    );
  },
};
