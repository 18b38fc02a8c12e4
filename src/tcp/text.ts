/** The seventh and eighth step of SEGMENT ARRIVES: data and FIN, put in order, and the ACK that they need. */
import { seqAdd, seqDiff, seqLe, seqLt, type Seq } from "../codec/seq.ts";
import { FIN, type TcpSegment } from "../codec/tcp.ts";
import { takeFin } from "./closing.ts";
import { becomeClosed, raise, receiveWindow, type Connection } from "./connection.ts";
import { insertPiece, takeInOrder } from "./reassembly.ts";
import { reply, resetFor } from "./segment.ts";

/** Takes the data and the FIN of an acceptable segment. After the peer's FIN there can be none: they are ignored. */
export function takeText(c: Connection, nowUs: number, segment: TcpSegment): void {
  if (c.state !== "ESTABLISHED" && c.state !== "FIN-WAIT-1" && c.state !== "FIN-WAIT-2") {
    acknowledgeOldText(c, segment);
    return;
  }
  const { payload } = segment;
  const fin = (segment.flags & FIN) !== 0;
  if (payload.length === 0 && !fin) return;
  const end = seqAdd(segment.seq, payload.length);
  if ((c.orphaned || (c.deaf && c.state !== "ESTABLISHED")) && seqLt(c.rcvNxt, end)) {
    // Nobody will read it: the peer has to know (RFC 9293 section 3.6.1, RFC 1122 section 4.2.2.13).
    reply(c, resetFor(segment));
    becomeClosed(c, c.orphaned ? null : "reset");
    return;
  }
  const before = c.rcvNxt;
  const hadGap = c.outOfOrder.length > 0;
  const limit = edgeFor(c, end);
  store(c, segment.seq, payload, limit);
  if (fin && seqLe(end, limit) && seqLe(c.rcvNxt, end)) c.peerFin = end;
  deliver(c, nowUs);
  const isNew = seqLt(before, c.rcvNxt) || (fin && end === before);
  const ends = c.peerFin === c.rcvNxt;
  const waits = ends && c.settings.profile.finAckDelayUs !== null;
  // What lies behind a FIN is no gap.
  const filled = hadGap && !(fin && waits);
  const plain = isNew && seqLe(segment.seq, before) && c.rcvNxt === end && !filled;
  // From here on only the user's own last words are to come, for the ACK to ride on (tcp_fin).
  if (waits) c.interactive = true;
  if (!ends || payload.length > 0 || !plain) scheduleAck(c, nowUs, plain);
  if (ends) {
    c.outOfOrder = [];
    takeFin(c, nowUs);
  }
}

/** How far data are taken: to the window's edge; in Linux to the segment's own end, if it was let in at all (tcp_data_queue). */
function edgeFor(c: Connection, end: Seq): Seq {
  if (c.settings.profile.window === "linux" && receiveWindow(c) > 0 && seqLt(c.rcvEdge, end)) return end;
  return c.rcvEdge;
}

function store(c: Connection, from: Seq, payload: Uint8Array, limit: Seq): void {
  const skip = Math.max(0, seqDiff(c.rcvNxt, from));
  const stop = Math.min(payload.length, seqDiff(c.peerFin ?? limit, from), seqDiff(limit, from));
  if (skip >= stop) return;
  const bytes = payload.subarray(skip, stop);
  c.outOfOrder = insertPiece(c.outOfOrder, { seq: seqAdd(from, skip), bytes });
}

/** Moves to the user what has its turn. */
function deliver(c: Connection, nowUs: number): void {
  const { ready, rest } = takeInOrder(c.outOfOrder, c.rcvNxt);
  if (ready.length === 0) return;
  const length = ready.reduce((sum, bytes) => sum + bytes.length, 0);
  c.outOfOrder = rest;
  c.receiveQueue = [...c.receiveQueue, ...ready];
  c.receiveLength += length;
  c.rcvNxt = seqAdd(c.rcvNxt, length);
  if (seqLt(c.rcvEdge, c.rcvNxt)) c.rcvEdge = c.rcvNxt;
  c.lastReceivedAtUs = nowUs;
  raise(c, "data");
}

/**
 * RFC 5681 section 4.2: at once for what is out of order, fills a gap or finds no room, and for every second full segment;
 * else it may wait.
 */
function scheduleAck(c: Connection, nowUs: number, plain: boolean): void {
  const { delayedAckUs } = c.settings.profile;
  const full = Math.min(c.settings.mss, c.sndMss);
  if (!plain || seqDiff(c.rcvNxt, c.lastAckSent) > full) c.ackNow = true;
  else if (c.quickAcks > 0 && !c.interactive) c.ackNow = true;
  else c.delayedAckAtUs ??= nowUs + delayedAckUs;
}

/** What arrives after the peer's FIN is a duplicate; it draws an ACK in case ours was lost. */
function acknowledgeOldText(c: Connection, segment: TcpSegment): void {
  if (segment.payload.length === 0 && !(segment.flags & FIN)) return;
  if (seqLt(segment.seq, c.rcvNxt)) c.ackNow = true;
}
