/** What goes out, and when: data, SYN and FIN as windows allow, what is sent again, probes, and ACKs. */
import { seqAdd, seqDiff, seqLt, type Seq } from "../codec/seq.ts";
import { ACK, FIN, PSH, SYN, type TcpSegment } from "../codec/tcp.ts";
import { dataStart, finSent, type Connection } from "./connection.ts";
import { sliceQueue } from "./reassembly.ts";
import { makeSegment } from "./segment.ts";

/** The next segment to send; undefined if there is none now. To be asked after every segment, call and timeout. */
export function pollTransmit(c: Connection, nowUs: number): TcpSegment | undefined {
  const [reply] = c.replies;
  if (reply) {
    c.replies = c.replies.slice(1);
    return reply;
  }
  const segment = streamSegment(c, nowUs);
  if (segment) return segment;
  if (c.ackNow) return makeSegment(c, nowUs, ACK, c.sndNxt);
  armPersist(c, nowUs);
  return undefined;
}

function streamSegment(c: Connection, nowUs: number): TcpSegment | undefined {
  switch (c.state) {
    case "CLOSED":
    case "LISTEN":
    case "TIME-WAIT":
    case "FIN-WAIT-2":
      return undefined;
    case "SYN-SENT":
    case "SYN-RECEIVED":
    case "ESTABLISHED":
    case "FIN-WAIT-1":
    case "CLOSE-WAIT":
    case "CLOSING":
    case "LAST-ACK":
      break;
  }
  if (c.sndNxt === c.iss || c.resend === c.iss) return sendSyn(c, nowUs);
  if (c.state === "SYN-SENT" || c.state === "SYN-RECEIVED") return undefined;
  return probeSegment(c, nowUs) ?? sentAgain(c, nowUs) ?? newSegment(c, nowUs);
}

function sendSyn(c: Connection, nowUs: number): TcpSegment {
  if (c.sndNxt === c.iss) {
    c.sndNxt = seqAdd(c.iss, 1);
    c.timedSeq = c.sndNxt;
    c.timedAtUs = nowUs;
  } else {
    c.timedSeq = null;
  }
  const next = seqAdd(c.iss, 1);
  c.resend = c.resend !== null && seqLt(next, c.resendEnd) ? next : null;
  c.retransmitAtUs ??= nowUs + c.rtoUs;
  return makeSegment(c, nowUs, c.state === "SYN-SENT" ? SYN : SYN | ACK, c.iss);
}

/** The segment with what the stream has in [from, from + length), and the FIN if `fin`. */
function cut(c: Connection, nowUs: number, from: Seq, length: number, fin: boolean): TcpSegment {
  const offset = seqDiff(from, dataStart(c));
  const payload = sliceQueue(c.sendQueue, offset, length);
  const pushed = length > 0 && offset + length === c.sendLength && !c.more;
  const segment = makeSegment(c, nowUs, ACK | (pushed ? PSH : 0) | (fin ? FIN : 0), from, payload);
  if (length > 0 && c.lastReceivedAtUs !== null) {
    // An answer to what was received just now.
    c.interactive ||= nowUs - c.lastReceivedAtUs < c.settings.profile.delayedAckUs;
  }
  return segment;
}

function sentAgain(c: Connection, nowUs: number): TcpSegment | undefined {
  if (c.resend === null || c.persistAtUs !== null) return undefined;
  const from = c.resend;
  // The first goes in any case: it finds out whether the way is open.
  if (from !== c.sndUna && seqDiff(from, c.sndUna) + c.sndMss > Math.min(c.cwnd, c.sndWnd)) return undefined;
  const dataEnd = finSent(c) ? c.finSeq! : c.sndNxt;
  const length = Math.min(c.sndMss, seqDiff(dataEnd, from));
  const fin = finSent(c) && seqAdd(from, length) === c.finSeq;
  const segment = cut(c, nowUs, from, length, fin);
  const end = seqAdd(from, length + (fin ? 1 : 0));
  c.resend = seqLt(end, c.resendEnd) ? end : null;
  if (c.timedSeq !== null && seqLt(from, c.timedSeq)) c.timedSeq = null;
  c.retransmitAtUs ??= nowUs + c.rtoUs;
  return segment;
}

function unsent(c: Connection): number {
  return Math.max(0, seqDiff(dataStart(c), c.sndNxt) + c.sendLength);
}

/** RFC 9293 section 3.8.6.2.1 and RFC 896: whether so little may go now. */
function worthSending(c: Connection, length: number, left: number): boolean {
  if (length === c.sndMss) return true;
  if (length === left) {
    if (c.held && c.finSeq === null) return false;
    if (c.settings.noDelay || c.finSeq !== null) return true;
    return c.settings.profile.nagle === "any" ? c.sndUna === c.sndNxt : c.smallEnd === null;
  }
  return c.maxSndWnd > 0 && 2 * length >= c.maxSndWnd;
}

function newSegment(c: Connection, nowUs: number): TcpSegment | undefined {
  if (c.resend !== null || finSent(c)) return undefined;
  const flight = seqDiff(c.sndNxt, c.sndUna);
  const room = c.sndWnd - flight;
  const left = unsent(c);
  const length = Math.max(0, Math.min(c.sndMss, left, room, c.cwnd - flight));
  const fin = c.finSeq !== null && length === left && length < room;
  if (!fin && (length === 0 || !worthSending(c, length, left))) return undefined;
  c.persistAtUs = null;
  return sendNew(c, nowUs, length, fin);
}

function sendNew(c: Connection, nowUs: number, length: number, fin: boolean): TcpSegment {
  const from = c.sndNxt;
  const segment = cut(c, nowUs, from, length, fin);
  c.sndNxt = seqAdd(from, length + (fin ? 1 : 0));
  if (length < c.sndMss && length > 0) c.smallEnd = c.sndNxt;
  if (c.timedSeq === null && c.tsRecent === null) {
    c.timedSeq = c.sndNxt;
    c.timedAtUs = nowUs;
  }
  if (c.persistAtUs === null) c.retransmitAtUs ??= nowUs + c.rtoUs;
  return segment;
}

/** RFC 9293 section 3.8.6.1. What the window has room for goes; else a byte, or a number that draws an ACK. */
function probeSegment(c: Connection, nowUs: number): TcpSegment | undefined {
  if (!c.probe) return undefined;
  c.probe = false;
  const left = unsent(c);
  const room = Math.min(c.sndMss, left, c.sndWnd - seqDiff(c.sndNxt, c.sndUna));
  if (room > 0) {
    c.persistAtUs = null;
    const segment = sendNew(c, nowUs, room, false);
    const isPushed = room === left || c.settings.profile.zeroWindowProbe === "old-number"; // tcp_write_wakeup
    return isPushed ? { ...segment, flags: segment.flags | PSH } : segment;
  }
  if (c.settings.profile.zeroWindowProbe === "old-number") return makeSegment(c, nowUs, ACK, seqAdd(c.sndUna, -1));
  if (c.sndUna !== c.sndNxt) {
    const isFin = c.finSeq === c.sndUna;
    return cut(c, nowUs, c.sndUna, isFin ? 0 : 1, isFin);
  }
  const segment = sendNew(c, nowUs, Math.min(1, left), left === 0);
  c.timedSeq = null;
  return segment;
}

/** Something waits, nothing is under way that would bring an ACK: the window has to be asked for. */
function armPersist(c: Connection, nowUs: number): void {
  if (c.persistAtUs !== null || c.retransmitAtUs !== null) return;
  if (
    c.state !== "ESTABLISHED" &&
    c.state !== "CLOSE-WAIT" &&
    c.state !== "FIN-WAIT-1" &&
    c.state !== "LAST-ACK" &&
    c.state !== "CLOSING"
  ) {
    return;
  }
  if (finSent(c) || (unsent(c) === 0 && c.finSeq === null)) return;
  c.persistAtUs = nowUs + c.rtoUs;
}
