/** A TIME-WAIT met by an old duplicate: the hazard of RFC 1337. */
import type { Lab } from "./lab.ts";
import { connected, type Connected } from "./openings.ts";
import type { Story } from "./story.ts";

/**
 * The server's end rests in TIME-WAIT when a copy of an old data segment arrives. It draws an ACK, and the client, which
 * has forgotten the connection, answers with a RST. What the RST does is for the story to see.
 */
export function* assassinate(lab: Lab, rfc1337: 0 | 1): Story<Connected> {
  const made = yield* connected(lab, { set: { "net.ipv4.tcp_rfc1337": rfc1337 } });
  const { client, server } = made;
  lab.wire.copy({ from: "client", payload: true }, "old duplicate", { times: 1 });
  yield* client.socket.write("I am client");
  yield* server.connection.read();
  yield* server.connection.close();
  yield* client.socket.close();
  yield* server.connection.reaches("TIME-WAIT");
  yield* client.socket.reaches("CLOSED");

  const before = lab.wire.sent();
  lab.say("The copy of the data segment arrives, late");
  yield* lab.wire.release("old duplicate");
  const drawn = lab.wire.sent().slice(before.length);
  const inShort = drawn.map(({ from, flags }) => `${from}: ${flags.join(",")}`);
  lab.expect("what it draws", inShort, ["server: ACK", "client: RST"]);
  lab.expect("where the RST points: to what the ACK acknowledged", drawn[1]!.seq, drawn[0]!.ack);
  return made;
}
