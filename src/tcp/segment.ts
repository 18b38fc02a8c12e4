/** Outgoing segments: numbers, window and options as the connection has them at this moment. */
import { seq, seqAdd, seqDiff, type Seq } from "../codec/seq.ts";
import { ACK, RST, SYN, sequenceLength, type TcpSegment } from "../codec/tcp.ts";
import { receiveWindow, type Connection } from "./connection.ts";
import { optionsFor } from "./options.ts";

const WINDOW_MAX = 65_535;
export const NOTHING = new Uint8Array();

/** What a SYN offers: it is never scaled (RFC 7323 section 2.2). */
export function firstWindow(c: Connection): number {
  return Math.min(WINDOW_MAX, c.settings.receiveBuffer);
}

/** How far the window would reach if it were offered now: the edge only moves by a worthwhile step (RFC 9293 section 3.8.6.2.2). */
export function windowToOffer(c: Connection): number {
  const { receiveBuffer, mss } = c.settings;
  const unit = 2 ** Math.max(0, c.rcvShift);
  const current = receiveWindow(c);
  const free = Math.min(WINDOW_MAX * unit, receiveBuffer - c.receiveLength);
  if (free - current < Math.min(mss, receiveBuffer / 2)) return current;
  return Math.max(current, free - (free % unit));
}

function windowField(c: Connection, flags: number): number {
  if (flags & SYN) return firstWindow(c);
  const unit = 2 ** Math.max(0, c.rcvShift);
  const field = Math.min(WINDOW_MAX, Math.ceil(windowToOffer(c) / unit));
  const edge = seqAdd(c.rcvNxt, field * unit);
  if (seqDiff(edge, c.rcvEdge) > 0) c.rcvEdge = edge;
  return field;
}

/** A segment of this connection. With the ACK flag it acknowledges all that has come, and no other ACK is needed. */
export function makeSegment(
  c: Connection,
  nowUs: number,
  flags: number,
  from: Seq,
  payload: Uint8Array = NOTHING,
): TcpSegment {
  const acknowledges = (flags & ACK) !== 0;
  const segment: TcpSegment = {
    sourcePort: c.settings.localPort,
    destinationPort: c.remotePort,
    seq: from,
    ack: acknowledges ? c.rcvNxt : seq(0),
    flags,
    window: windowField(c, flags),
    urgent: 0,
    options: optionsFor(c, flags, nowUs),
    payload,
  };
  if (acknowledges) {
    c.ackNow = false;
    c.delayedAckAtUs = null;
    c.lastAckSent = c.rcvNxt;
    if (c.quickAcks > 0) c.quickAcks--;
  }
  return segment;
}

/**
 * The answer to a segment that belongs to no connection: a RST that its sender will believe, or nothing to a RST (RFC 9293
 * section 3.10.7.1).
 */
export function resetFor(segment: TcpSegment): TcpSegment | undefined {
  if (segment.flags & RST) return undefined;
  const acknowledges = (segment.flags & ACK) !== 0;
  return {
    sourcePort: segment.destinationPort,
    destinationPort: segment.sourcePort,
    seq: acknowledges ? segment.ack : seq(0),
    ack: acknowledges ? seq(0) : seqAdd(segment.seq, sequenceLength(segment)),
    flags: acknowledges ? RST : RST | ACK,
    window: 0,
    urgent: 0,
    options: [],
    payload: NOTHING,
  };
}

/** Has a segment sent that is none of the stream's. */
export function reply(c: Connection, segment: TcpSegment | undefined): void {
  if (segment) c.replies = [...c.replies, segment];
}
