/** A client that comes back on the ports of a connection whose server end rests in TIME-WAIT. */
import { fromHex } from "../codec/hex.ts";
import { decodePacket } from "../codec/packet.ts";
import { seq, seqDiff } from "../codec/seq.ts";
import { FIN, SYN, type TcpSegment } from "../codec/tcp.ts";
import type { Lab } from "./lab.ts";
import { closedByServer, PORT, type Connected } from "./openings.ts";
import type { PendingCall } from "./world.ts";
import type { Story } from "./story.ts";

export const CLIENT_PORT = 40_000;

/** A quarter of all sequence numbers: further than any initial one gets ahead while a story is told. */
const FAR = 2 ** 30;

/** A connection that the server has closed first. The listener is still there. */
export function* restingInTimeWait(lab: Lab, set: Readonly<Record<string, string | number>>): Story<Connected> {
  return yield* closedByServer(lab, { connect: { from: CLIENT_PORT }, set });
}

/**
 * From now on a firewall on the wire rewrites the client's sequence numbers, as some do: to the server all that the client
 * sends lies behind what the old connection has reached. To the client nothing has changed.
 */
export function lowerSequenceNumbers(lab: Lab): void {
  lab.wire.modify({ from: "client" }, { seqBy: -FAR });
  lab.wire.modify({ from: "server", has: ["ACK"] }, { ackBy: FAR });
}

/** The client connects again, from the port that it had. Does not wait for the outcome. */
export function* reconnect({ client, server }: Connected): Story<PendingCall> {
  const socket = yield* client.process.socket();
  const { fd } = socket;
  yield* socket.set("SO_REUSEADDR", 1);
  yield* client.process.must({ name: "bind", fd, address: client.host.address, port: CLIENT_PORT });
  return yield* client.process.begin({ name: "connect", fd, address: server.host.address, port: PORT });
}

/** How a SYN compares with what its host sent last in the connection before. */
export interface Comparison {
  seq: "ahead" | "behind";
  timestamp: "none" | "later" | "not later";
}

/** Compares the client's latest SYN with its first FIN, as they arrived: changed by the wire, where they were. */
export function compareSynWithFin(lab: Lab): Comparison {
  const arrived = lab.recorder.events.flatMap((event) => {
    if (event.kind !== "segment" || event.packet?.from !== "client") return [];
    const packet = decodePacket(fromHex(event.packet.bytes)!);
    return packet.ok ? [packet.value.tcp] : [];
  });
  const fin = arrived.find(({ flags }) => flags & FIN)!;
  const syn = arrived.findLast(({ flags }) => flags & SYN)!;
  const [before, after] = [timestamp(fin), timestamp(syn)];
  const later = before !== undefined && after !== undefined && seqDiff(seq(after), seq(before)) > 0;
  return {
    seq: seqDiff(syn.seq, fin.seq) > 0 ? "ahead" : "behind",
    timestamp: after === undefined ? "none" : later ? "later" : "not later",
  };
}

function timestamp({ options }: TcpSegment): number | undefined {
  const option = options.find(({ kind }) => kind === "timestamps");
  return option?.kind === "timestamps" ? option.value : undefined;
}

/**
 * A SYN that lies behind the old connection, without timestamps, arrives in TIME-WAIT: an ACK answers it that says where
 * the old connection ended, which the client answers with a RST. What the RST does is for the story to see.
 */
export function* knock(lab: Lab, rfc1337: 0 | 1): Story<{ made: Connected; connecting: PendingCall }> {
  const made = yield* restingInTimeWait(lab, { "net.ipv4.tcp_timestamps": 0, "net.ipv4.tcp_rfc1337": rfc1337 });
  lowerSequenceNumbers(lab);
  lab.say("The client connects again from the same port, with a lower sequence number");
  const before = lab.wire.sent().length;
  const connecting = yield* reconnect(made);
  const knocked = lab.wire
    .sent()
    .slice(before, before + 3)
    .map(({ from, flags }) => `${from}: ${flags.join(",")}`);
  lab.expect("how the SYN fares", knocked, ["client: SYN", "server: ACK", "client: RST"]);
  lab.expect("the SYN, beside the old FIN", compareSynWithFin(lab), { seq: "behind", timestamp: "none" });
  return { made, connecting };
}
