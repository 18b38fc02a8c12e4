import { holds, type Experiment } from "../experiment.ts";
import { PORT } from "../openings.ts";
import type { Socket } from "../process.ts";

/**
 * A15: the same address and port twice. SO_REUSEADDR even lets two sockets be bound to it, as long as neither listens:
 * listening is what the kernel keeps for one.
 */
export const completeDuplicate: Experiment = {
  id: "complete-duplicate",
  title: "The same address and port twice",
  claims: ["A15"],
  article: "Two TCP servers can never be bound to the same address and port.",
  *story(lab) {
    const server = yield* lab.host("server");
    const { address } = server;
    const first = yield* server.process("server 1");
    const second = yield* server.process("server 2");
    for (const reuseAddress of [false, true]) {
      lab.say(`The first server listens; both ${reuseAddress ? "with" : "without"} SO_REUSEADDR`);
      const listener = yield* first.listen(PORT, { address, reuseAddress });
      const attempt = yield* second.tryListen(PORT, { address, reuseAddress });
      lab.expect("the second server", attempt, { code: "EADDRINUSE", step: "bind" });
      yield* listener.close();
    }

    lab.say("Both bind with SO_REUSEADDR before either of them listens");
    const sockets: Socket[] = [];
    for (const process of [first, second]) {
      const socket = yield* process.socket();
      yield* socket.set("SO_REUSEADDR", 1);
      yield* process.must({ name: "bind", fd: socket.fd, address, port: PORT });
      sockets.push(socket);
    }
    const states = sockets.map(({ state }) => state);
    lab.expect("the states of the two", states, ["BOUND", "BOUND"]);
    yield* first.must({ name: "listen", fd: sockets[0]!.fd, backlog: 1 });
    const listened = yield* second.call({ name: "listen", fd: sockets[1]!.fd, backlog: 1 });
    lab.expect("listen of the second", listened.ok ? "ok" : listened.code, "EADDRINUSE");
    return holds(
      "Beside a server that listened, bind failed with EADDRINUSE, with SO_REUSEADDR too. Two sockets that did not listen " +
        "could both be bound with it; the second listen failed with EADDRINUSE.",
    );
  },
};
