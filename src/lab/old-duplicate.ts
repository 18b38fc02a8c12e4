/**
 * An old duplicate that fits into a new incarnation of its connection (RFC 9293 section 3.4.1). It takes more than a slow
 * segment: initial sequence numbers are taken from a clock, so those of a new connection begin above all that the old one
 * has used, unless it has sent faster than that clock runs.
 */
import { seq, seqDiff } from "../codec/seq.ts";
import type { Host } from "./host.ts";
import type { Lab } from "./lab.ts";
import { PORT } from "./openings.ts";
import type { Process, Socket } from "./process.ts";
import { Unmet, type Story } from "./story.ts";
import { transfer } from "./transfer.ts";

/** Linux's clock of initial sequence numbers ticks every 64 ns (seq_scale, net/core/secure_seq.c). */
const TICKS_PER_US = 1 / 0.064;

/** How far ahead of that clock an old connection is driven, bytes: 67 ms of ticks. */
const LEAD = 1 << 20;
/** What is sent each way before the lead is looked at again. */
const ROUND = 1 << 19;
/** How often it is looked at: a connection that needs more than this does not get ahead. */
const ROUNDS = 10;
/** How many connections are tried: on a busy machine the clock may win some of the races. */
const ATTEMPTS = 100;

/** Long enough for the timestamps of the new connection to be later than those of the old one, milliseconds. */
const TIMESTAMP_TICKS_MS = 5;

/** The port that every incarnation is connected from. */
export const FROM = 40_000;

/** Where incarnations of one connection come about. */
export interface Ends {
  client: { host: Host; process: Process };
  server: { host: Host; listener: Socket };
}

/** One connection between the ends, always the same two addresses and ports. */
export interface Incarnation {
  client: Socket;
  server: Socket;
}

/** A server and a client. Their segments and windows are large, so that sequence numbers can run fast. */
export function* endsOf(lab: Lab, { timestamps }: { timestamps: boolean }): Story<Ends> {
  const { client, server } = yield* lab.hosts({ client: { mtu: 60_000 }, server: { mtu: 60_000 } });
  for (const host of [client, server]) {
    yield* host.set("net.ipv4.tcp_timestamps", timestamps ? 1 : 0);
    yield* host.set("net.ipv4.tcp_rmem", "4096 8388608 33554432");
  }
  const serving = yield* server.process("server");
  const listener = yield* serving.listen(PORT);
  return { client: { host: client, process: yield* client.process("client") }, server: { host: server, listener } };
}

export function* incarnation({ client, server }: Ends): Story<Incarnation> {
  const socket = yield* client.process.connect(server.host, PORT, { from: FROM });
  return { client: socket, server: yield* server.listener.accept() };
}

/** How far a host's sequence numbers are ahead of the clock that the first of them was taken from. */
function leadOf(lab: Lab, from: string): number {
  const first = lab.wire.lastSent({ from, has: ["SYN"] });
  const last = lab.wire.lastSent({ from, payload: true });
  return seqDiff(seq(last.seq), seq(first.seq)) - (lab.wire.lastSent().tUs - first.tUs) * TICKS_PER_US;
}

/** Sends to and fro until both directions' numbers are far enough ahead of the clock. False if they fall behind it. */
function* runsAhead(lab: Lab, { client, server }: Incarnation): Story<boolean> {
  let lead = 0;
  for (let round = 0; round < ROUNDS && lead > -ROUND && lead < LEAD; round++) {
    yield* transfer(client, server, ROUND);
    yield* transfer(server, client, ROUND);
    lead = Math.min(leadOf(lab, "client"), leadOf(lab, "server"));
  }
  return lead > 0;
}

/**
 * The client writes `text`, and the wire keeps the segment for a while. Those behind it tell of the gap, so it is sent
 * again (RFC 5681, fast retransmit), and the server reads everything: what is kept has become a duplicate.
 */
export function* stray(lab: Lab, { client, server }: Incarnation, text: string, as: string): Story {
  yield* client.set("TCP_NODELAY", 1);
  const straying = lab.wire.hold({ from: "client", payload: text }, as, { times: 1 });
  for (const data of [text, "+", "+", "+"]) yield* client.write(data);
  yield* lab.until("the server has all of it", () => server.receiveQueue === text.length + 3);
  yield* server.read();
  lab.wire.remove(straying);
}

/** How many bytes a host has to send in the newest connection until it comes to this sequence number. */
function distance(lab: Lab, from: string, to: number): number {
  return seqDiff(seq(to), seq(lab.wire.lastSent({ from, has: ["SYN"] }).seq)) - 1;
}

/**
 * Makes the new connection come to just where an old segment fits: by its sequence number, and by what it acknowledges
 * (RFC 5961 section 5). False if the new connection has begun above it.
 */
function* meets(lab: Lab, { client, server }: Incarnation, old: { seq: number; ack: number }): Story<boolean> {
  const up = distance(lab, "client", old.seq);
  const down = distance(lab, "server", old.ack);
  if (up <= 0 || down <= 0) return false;
  yield* lab.elapse(TIMESTAMP_TICKS_MS);
  yield* transfer(client, server, up);
  yield* transfer(server, client, down);
  return true;
}

/**
 * A new incarnation into which a segment with `text` fits that was sent in the one before it, which ended with a RST: that
 * leaves no TIME-WAIT. Returns it, and the name under which the wire holds the segment.
 */
export function* newWithOld(lab: Lab, ends: Ends, text: string): Story<Incarnation & { held: string }> {
  let connection = yield* incarnation(ends);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const held = `old duplicate ${attempt}`;
    lab.say("The connection sends and receives faster than the clock of initial sequence numbers runs");
    const ahead = yield* runsAhead(lab, connection);
    if (ahead) {
      lab.say("One of its segments strays: it is sent again, but the first copy of it is still on its way");
      yield* stray(lab, connection, text, held);
    }
    lab.say("The client ends the connection by a RST, so without TIME-WAIT, and connects again from the same port");
    yield* connection.client.abort();
    yield* connection.server.close();
    connection = yield* incarnation(ends);
    if (ahead && (yield* meets(lab, connection, lab.wire.heldSegments(held)[0]!))) return { ...connection, held };
    lab.say("This machine was too slow: the clock was faster. Once more, with this connection");
  }
  throw new Unmet("sequence numbers can't be driven faster than their clock on this machine");
}
