import { doesNotHold, type Experiment } from "../experiment.ts";
import { PORT } from "../openings.ts";
import type { ListenOptions } from "../process.ts";

const WILDCARD = "0.0.0.0";

/**
 * A14: one server on the wildcard address, one on a specific address. The text book's case for SO_REUSEADDR, and BSD
 * allows it; Linux does not while the first listens, whichever it is.
 */
export const wildcardAndSpecific: Experiment = {
  id: "wildcard-and-specific",
  title: "One port on the wildcard and on a specific address",
  claims: ["A14"],
  article: "SO_REUSEADDR lets several servers use one port, as long as each binds a local address of its own.",
  *story(lab) {
    const { client, server } = yield* lab.hosts({ server: { addresses: 2 } });
    const serving = yield* server.process("server 1");
    const second = yield* server.process("server 2");
    const [specific, other] = server.addresses as [string, string];
    const cases: [what: string, options: ListenOptions, expected: string][] = [
      ["no option", {}, "EADDRINUSE"],
      ["SO_REUSEADDR", { reuseAddress: true }, "EADDRINUSE"],
      ["SO_REUSEPORT", { reusePort: true }, "ok"],
    ];
    for (const [what, options, expected] of cases) {
      lab.say(`Both servers have set ${what}`);
      for (const [address, beside] of [
        [WILDCARD, specific],
        [specific, WILDCARD],
      ] as const) {
        const listener = yield* serving.listen(PORT, { ...options, address });
        const attempt = yield* second.tryListen(PORT, { ...options, address: beside });
        lab.expect(`${beside} beside ${address}, both with ${what}`, attempt.code, expected);
        if (attempt.code === "ok") yield* attempt.socket.close();
        yield* listener.close();
      }
    }

    lab.say("With SO_REUSEPORT the more specific listener gets the clients of its address, the wildcard all others");
    const everywhere = yield* serving.listen(PORT, { reusePort: true });
    const there = yield* second.listen(PORT, { address: specific, reusePort: true });
    const asking = yield* client.process("client");
    yield* asking.connect(server, PORT, { to: specific });
    lab.expect("who has a client", [yield* there.poll(), yield* everywhere.poll()], [["IN"], []]);
    yield* asking.connect(server, PORT, { to: other });
    lab.expect("who has a client", [yield* there.poll(), yield* everywhere.poll()], [["IN"], ["IN"]]);
    return doesNotHold(
      "Beside a server that listened, the other's bind failed with EADDRINUSE in either order although both had " +
        "SO_REUSEADDR. SO_REUSEPORT let both in, and each client reached the more specific of them.",
    );
  },
};
