/**
 * A connection as bytes: two connections of the same settings have the same bytes if nothing that can still happen to them
 * tells them apart. How data lie in pieces, what is long past, and what their state does not use any more leaves no trace.
 */
import { seqDiff } from "../codec/seq.ts";
import { STATES } from "../codec/state.ts";
import { encodeTcp } from "../codec/tcp.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { Connection, ConnectionError, ConnectionEvent } from "./connection.ts";
import { TS_RECENT_LIFE_US } from "./options.ts";

const STATE_NUMBERS = Object.fromEntries(STATES.map(({ rfc, number }) => [rfc, number]));
const EVENTS: readonly ConnectionEvent[] = ["connected", "data", "end", "space", "error", "closed"];
const ERRORS: readonly (ConnectionError | null)[] = [null, "reset", "refused", "broken-pipe", "timeout"];

/** See above. Deadlines count from `nowUs`: with the time of now, states that differ by a shift of time are the same. */
export function encodeConnection(c: Connection, nowUs: number): Uint8Array {
  const writer = new ByteWriter();
  writeConnection(writer, c, nowUs);
  return writer.take();
}

/** The same, behind what has been written already. */
export function writeConnection(writer: ByteWriter, c: Connection, nowUs: number): void {
  writer.integer(STATE_NUMBERS[c.state]!);
  writer.integer(
    (c.orphaned ? 1 : 0) | (c.passive ? 2 : 0) | (c.ackNow ? 4 : 0) | (c.deaf ? 8 : 0) | (ERRORS.indexOf(c.error) << 4),
  );
  let events = 0;
  for (const event of c.events) events |= 1 << EVENTS.indexOf(event);
  writer.integer(events);
  writer.integer(c.remotePort);
  writer.integer(c.replies.length);
  for (const reply of c.replies) {
    const bytes = encodeTcp(reply);
    writer.integer(bytes.length);
    writer.bytes(bytes);
  }
  writeQueue(writer, c.receiveQueue, c.receiveLength);
  if (c.state === "CLOSED" && !c.ackNow) return;
  writeNumbers(writer, c, nowUs);
  writeReceiving(writer, c);
  if (c.state === "CLOSED") return;
  writeWindow(writer, c);
  if (c.state === "FIN-WAIT-2" || c.state === "TIME-WAIT") return;
  writeSending(writer, c, nowUs);
}

function writeQueue(writer: ByteWriter, queue: readonly Uint8Array[], length: number): void {
  writer.integer(length);
  for (const bytes of queue) writer.bytes(bytes);
}

function leftUs(atUs: number | null, nowUs: number): number | null {
  return atUs === null ? null : Math.max(0, atUs - nowUs);
}

function writeNumbers(writer: ByteWriter, c: Connection, nowUs: number): void {
  writer.integer(c.iss);
  writer.integer(c.irs);
  writer.integer(seqDiff(c.sndNxt, c.iss));
  writer.integer(seqDiff(c.rcvNxt, c.irs));
  writer.integer(seqDiff(c.rcvEdge, c.rcvNxt));
  writer.integer(seqDiff(c.rcvNxt, c.lastAckSent));
  writer.integer(c.rcvShift);
  writer.integer(c.quickAcks);
  writer.nullable(leftUs(c.retransmitAtUs, nowUs));
  writer.nullable(leftUs(c.persistAtUs, nowUs));
  writer.nullable(leftUs(c.delayedAckAtUs, nowUs));
  writer.nullable(leftUs(c.expireAtUs, nowUs));
  const { delayedAckUs, challengeAcks } = c.settings.profile;
  writer.nullable(c.lastReceivedAtUs === null ? null : Math.min(delayedAckUs, nowUs - c.lastReceivedAtUs));
  const challengedFor = c.challengesSinceUs === null ? Infinity : nowUs - c.challengesSinceUs;
  writer.nullable(challengedFor < challengeAcks.perUs ? challengedFor : null);
  if (challengedFor < challengeAcks.perUs) writer.integer(c.challengesLeft);
  if (c.tsRecent === null) {
    writer.integer(0);
    return;
  }
  writer.integer(1);
  // Timestamps go on with the time: what is remembered counts by its distance from now.
  writer.integer((c.tsRecent - Math.floor(nowUs / 1000)) | 0);
  writer.integer(nowUs % 1000);
  writer.integer(Math.min(TS_RECENT_LIFE_US + 1, nowUs - c.tsRecentAtUs));
}

function writeReceiving(writer: ByteWriter, c: Connection): void {
  writer.nullable(c.peerFin === null ? null : seqDiff(c.peerFin, c.irs));
  // Pieces that touch are one.
  let end: number | undefined;
  for (const { seq, bytes } of c.outOfOrder) {
    if (seq !== end) writer.integer(-1);
    if (seq !== end) writer.integer(seqDiff(seq, c.rcvNxt));
    for (const byte of bytes) writer.integer(byte);
    end = (seq + bytes.length) >>> 0;
  }
  writer.integer(-2);
}

function writeWindow(writer: ByteWriter, c: Connection): void {
  writer.integer(seqDiff(c.sndNxt, c.sndUna));
  writer.integer(c.sndWnd);
  writer.integer(seqDiff(c.rcvNxt, c.sndWl1));
  writer.integer(seqDiff(c.sndNxt, c.sndWl2));
  writer.integer(c.maxSndWnd);
  writer.integer(c.sndShift);
}

/** A number at or ahead of SND.UNA. */
function writeAhead(writer: ByteWriter, c: Connection, number: number | null): void {
  writer.nullable(number === null ? null : (number - c.sndUna) >>> 0);
}

function writeSending(writer: ByteWriter, c: Connection, nowUs: number): void {
  writer.integer(c.sndMss);
  writeQueue(writer, c.sendQueue, c.sendLength);
  writeAhead(writer, c, c.finSeq);
  writeAhead(writer, c, c.resend);
  if (c.resend !== null) writeAhead(writer, c, c.resendEnd);
  writeAhead(writer, c, c.smallEnd);
  writeAhead(writer, c, c.recover);
  writeAhead(writer, c, c.timedSeq);
  const { rtoMinUs, rtoMaxUs } = c.settings.profile;
  if (rtoMinUs < rtoMaxUs) {
    if (c.timedSeq !== null) writer.integer(nowUs - c.timedAtUs);
    writer.nullable(c.srttUs);
    writer.integer(c.rttvarUs);
  } else {
    // The timeout can be only one, however long the way takes; but whether that has been measured counts.
    writer.integer(c.srttUs === null ? 0 : 1);
  }
  writer.integer(c.rtoUs);
  writer.integer(c.retransmits);
  writer.integer(c.probes);
  writer.integer(c.cwnd);
  writer.integer(c.ssthresh);
  writer.integer(c.dupAcks);
  writer.integer((c.probe ? 1 : 0) | (c.interactive ? 2 : 0) | (c.more ? 4 : 0) | (c.held ? 8 : 0));
}
