/** What random stories have found: calls whose results, and segments, are Linux's in both worlds. */
import type { SocketOption } from "../../src/call/call.ts";
import { connected } from "../../src/lab/openings.ts";
import { codeOf, type Process } from "../../src/lab/process.ts";
import type { Story } from "../../src/lab/story.ts";
import { toldAlike } from "./told-alike.ts";

const PORT = 8000;

/** What getsockopt says after the option has been set. */
function* setAndGet(process: Process, option: SocketOption, values: readonly number[]): Story<(number | string)[]> {
  const { fd } = yield* process.socket("IPv4");
  const got: (number | string)[] = [];
  for (const value of values) {
    yield* process.call({ name: "setsockopt", fd, option, value });
    const result = yield* process.call({ name: "getsockopt", fd, option });
    got.push(result.ok ? result.value : codeOf(result));
  }
  return got;
}

toldAlike("getsockopt says what was set, or what Linux makes of it", function* (lab) {
  const { client } = yield* lab.hosts();
  const process = yield* client.process("client", { mortal: true });
  const check = function* (option: SocketOption, values: number[], expected: (number | string)[]): Story {
    lab.expect(option, yield* setAndGet(process, option, values), expected);
  };
  yield* check("SO_LINGER", [0, -1], [0, -1]);
  yield* check("TCP_LINGER2", [3, -5, 0, 200], [3, -1, 60, 120]);
  yield* check("IPV6_V6ONLY", [1], ["EOPNOTSUPP"]);
  yield* check("IP_TTL", [20, 0, 256, -1], [20, 20, 20, 64]);
});

toldAlike("a socket whose connect has failed still names the port that it had, and binds another", function* (lab) {
  const { client, server } = yield* lab.hosts();
  const process = yield* client.process("client");
  const { fd } = yield* process.socket("IPv4");
  lab.expect(
    "connect",
    codeOf(yield* process.call({ name: "connect", fd, address: server.address, port: 1 })),
    "ECONNREFUSED",
  );
  const { endpoint } = yield* process.must({ name: "getsockname", fd });
  lab.expect("its address", endpoint!.address, "0.0.0.0");
  lab.expect("it names a port", endpoint!.port > 0, true);
  yield* process.must({ name: "bind", fd, address: "0.0.0.0", port: PORT });
  lab.expect("its port", (yield* process.must({ name: "getsockname", fd })).endpoint!.port, PORT);
});

for (const what of ["data", "a FIN"]) {
  toldAlike(`what MSG_MORE holds back goes when ${what} arrives`, function* (lab) {
    const { client, server } = yield* connected(lab);
    yield* client.socket.write("a", true);
    lab.expect("data sent", lab.wire.sent({ from: "client", payload: true }).length, 0);
    if (what === "data") yield* server.connection.write("b");
    else yield* server.connection.shutdown();
    const sent = lab.wire.sent({ from: "client", payload: true });
    lab.expect(
      "its flags",
      sent.map(({ flags }) => flags.join(",")),
      ["ACK"],
    );
  });
}

toldAlike("what MSG_MORE holds back goes with TCP_NODELAY, or pushed by the timer", function* (lab) {
  const { client } = yield* connected(lab);
  const flags = () => lab.wire.sent({ from: "client", payload: true }).map((sent) => sent.flags.join(","));
  yield* client.socket.write("a", true);
  yield* client.socket.set("TCP_NODELAY", 1);
  lab.expect("by TCP_NODELAY", flags(), ["ACK"]);
  yield* client.socket.write("b", true);
  yield* lab.until("the timer has sent it", () => flags().length === 2);
  lab.expect("by the timer", flags(), ["ACK", "PSH,ACK"]);
});

for (const when of ["before", "after"] as const) {
  toldAlike(`negative TCP_LINGER2: a RST ${when === "before" ? "for" : "after"} the ACK of the FIN`, function* (lab) {
    const { client } = yield* connected(lab);
    yield* client.socket.set("TCP_LINGER2", -1);
    if (when === "after") {
      yield* client.socket.shutdown();
      yield* client.socket.reaches("FIN-WAIT-2");
    }
    yield* client.socket.close();
    yield* client.socket.reaches("CLOSED");
    lab.expect("its RST", lab.wire.lastSent({ from: "client" }).flags, when === "before" ? ["RST"] : ["RST", "ACK"]);
  });
}
