/** What random stories have found where something interferes: SOCK_DESTROY, the wire, a limit. The same in both worlds. */
import { connected } from "../../src/lab/openings.ts";
import { codeOf, type Socket } from "../../src/lab/process.ts";
import type { Story } from "../../src/lab/story.ts";
import { toldAlike } from "./told-alike.ts";

function* readCode({ process, fd }: Socket): Story<string> {
  return codeOf(yield* process.call({ name: "read", fd, length: 10 }));
}

toldAlike("a listener that is destroyed tells of it once, and is shut down", function* (lab) {
  const { server } = yield* connected(lab);
  yield* server.listener.destroy();
  lab.expect("poll", yield* server.listener.poll(), ["IN", "OUT", "ERR", "HUP", "RDHUP"]);
  lab.expect("the first read", yield* readCode(server.listener), "ECONNABORTED");
  lab.expect("the second read", yield* server.listener.readInShort(), "end of stream");
  lab.expect("a write", yield* server.listener.write("a"), "EPIPE");
});

toldAlike("what a connection had received can be read when it has been destroyed", function* (lab) {
  const { client, server } = yield* connected(lab);
  yield* client.socket.write("abc");
  yield* server.connection.destroy();
  lab.expect("the first read", yield* server.connection.readInShort(), "abc");
  lab.expect("the second read", yield* readCode(server.connection), "ECONNABORTED");
});

toldAlike("an orphan in FIN-WAIT-2 is destroyed without a word to its peer", function* (lab) {
  const { client, server } = yield* connected(lab);
  yield* server.connection.close();
  yield* server.connection.reaches("FIN-WAIT-2");
  yield* server.connection.destroy();
  lab.expect("its state", server.connection.state, "CLOSED");
  lab.expect("RSTs", lab.wire.sent({ has: ["RST"] }).length, 0);
  lab.expect("its peer's state", client.socket.state, "CLOSE-WAIT");
});

toldAlike("data that arrive twice are answered twice", function* (lab) {
  const { client } = yield* connected(lab);
  lab.wire.duplicate({ from: "client", payload: true });
  yield* client.socket.write("abc");
  yield* lab.until("two ACKs", () => lab.wire.sent({ from: "server", lacks: ["SYN"] }).length === 2);
});

for (const [when, state] of [
  ["before", "CLOSED"],
  ["after", "TIME-WAIT"],
] as const) {
  toldAlike(`no room for TIME-WAITs ${when} the close in FIN-WAIT-2: ${state}`, function* (lab) {
    const { client, server } = yield* connected(lab);
    yield* server.connection.shutdown();
    yield* server.connection.reaches("FIN-WAIT-2");
    const full = () => server.host.set("net.ipv4.tcp_max_tw_buckets", 0);
    if (when === "before") yield* full();
    yield* server.connection.close();
    if (when === "after") {
      yield* full();
      yield* client.socket.close();
    }
    yield* server.connection.reaches(state);
  });
}

toldAlike("a bind that is refused leaves what is over its port's number, not its address", function* (lab) {
  const { client, server } = yield* connected(lab);
  yield* client.socket.abort();
  const { fd } = server.connection;
  const bound = yield* server.process.call({ name: "bind", fd, address: "0.0.0.0", port: 8000 });
  lab.expect("bind", codeOf(bound), "EADDRINUSE");
  const { endpoint } = yield* server.process.must({ name: "getsockname", fd });
  lab.expect("getsockname", `${endpoint!.address} ${endpoint!.port}`, "0.0.0.0 8000");
});
