/** The ACK field of a segment: what it frees, and what it says of loss (RFC 9293 section 3.10.7.4, RFC 5681, 5961, 6582). */
import { seqAdd, seqDiff, seqLe, seqLt } from "../codec/seq.ts";
import { FIN, SYN, type TcpSegment } from "../codec/tcp.ts";
import { challenge } from "./challenge.ts";
import { dataStart, raise, type Connection } from "./connection.ts";
import { sampleAck } from "./rto.ts";
import { dropFromQueue } from "./reassembly.ts";

const FAST_RETRANSMIT_AFTER = 3;

/** Takes the ACK of a segment in a synchronized state. False: the segment is not to be looked at any further. */
export function takeAck(c: Connection, nowUs: number, segment: TcpSegment): boolean {
  const { ack } = segment;
  if (seqLt(c.sndNxt, ack)) {
    challenge(c, nowUs);
    return false;
  }
  if (c.settings.rfc5961 && seqDiff(c.sndUna, ack) > oldestAck(c)) {
    challenge(c, nowUs);
    return false;
  }
  const count = seqDiff(ack, c.sndUna);
  if (count > 0) advance(c, nowUs, segment, count);
  else if (count === 0 && isDuplicate(c, segment)) countDuplicate(c);
  if (count >= 0) takeWindow(c, nowUs, segment);
  return true;
}

function oldestAck(c: Connection): number {
  if (c.settings.profile.oldAcks === "window") return c.maxSndWnd;
  return Math.min(c.maxSndWnd, seqDiff(c.sndUna, c.iss) - (c.passive ? 1 : 0));
}

function advance(c: Connection, nowUs: number, segment: TcpSegment, count: number): void {
  const { ack } = segment;
  const flight = seqDiff(c.sndNxt, c.sndUna);
  const bytes = Math.min(c.sendLength, Math.max(0, seqDiff(ack, dataStart(c))));
  if (bytes > 0) {
    c.sendQueue = dropFromQueue(c.sendQueue, bytes);
    c.sendLength -= bytes;
    raise(c, "space");
  }
  c.sndUna = ack;
  if (c.smallEnd !== null && seqLe(c.smallEnd, ack)) c.smallEnd = null;
  if (c.resend !== null && seqLt(c.resend, ack)) c.resend = seqLt(ack, c.resendEnd) ? ack : null;
  sampleAck(c, nowUs, segment);
  c.retransmits = 0;
  c.dupAcks = 0;
  if (c.recover === null) grow(c, flight, count);
  else recoverFurther(c, count);
  c.retransmitAtUs = c.sndUna === c.sndNxt ? null : nowUs + c.rtoUs;
}

/** RFC 5681 section 3.1, where the window was in use. */
function grow(c: Connection, flight: number, count: number): void {
  if (flight + c.sndMss <= c.cwnd) return;
  c.cwnd += c.cwnd < c.ssthresh ? Math.min(count, c.sndMss) : Math.max(1, Math.floor(c.sndMss ** 2 / c.cwnd));
}

/** RFC 6582 section 3.2, step 3. */
function recoverFurther(c: Connection, count: number): void {
  if (seqLe(c.recover!, c.sndUna)) {
    c.recover = null;
    c.cwnd = c.ssthresh;
    return;
  }
  resendFirst(c);
  c.cwnd = Math.max(c.sndMss, c.cwnd - count + c.sndMss);
}

function resendFirst(c: Connection): void {
  c.resend = c.sndUna;
  const end = seqAdd(c.sndUna, c.sndMss);
  c.resendEnd = seqLt(end, c.sndNxt) ? end : c.sndNxt;
}

/** RFC 5681 section 2. */
function isDuplicate(c: Connection, segment: TcpSegment): boolean {
  return (
    c.sndUna !== c.sndNxt &&
    c.resend === null &&
    segment.payload.length === 0 &&
    !(segment.flags & (SYN | FIN)) &&
    segment.window * 2 ** c.sndShift === c.sndWnd
  );
}

function countDuplicate(c: Connection): void {
  c.dupAcks++;
  if (c.recover !== null) {
    c.cwnd += c.sndMss;
  } else if (c.dupAcks === FAST_RETRANSMIT_AFTER) {
    c.ssthresh = Math.max(Math.floor(seqDiff(c.sndNxt, c.sndUna) / 2), 2 * c.sndMss);
    c.cwnd = c.ssthresh + FAST_RETRANSMIT_AFTER * c.sndMss;
    c.recover = c.sndNxt;
    c.timedSeq = null;
    resendFirst(c);
  }
}

/** Takes the peer's window, unless the segment is older than the one that it was last taken from. */
export function takeWindow(c: Connection, nowUs: number, segment: TcpSegment): void {
  const newer = seqLt(c.sndWl1, segment.seq) || (c.sndWl1 === segment.seq && seqLe(c.sndWl2, segment.ack));
  if (!newer) return;
  const before = c.sndWnd;
  c.sndWnd = segment.window * 2 ** c.sndShift;
  c.maxSndWnd = Math.max(c.maxSndWnd, c.sndWnd);
  c.sndWl1 = segment.seq;
  c.sndWl2 = segment.ack;
  if (c.persistAtUs === null) return;
  if (c.sndWnd === 0) {
    c.retransmits = 0; // a peer that answers may keep its window closed for as long as it likes (RFC 9293 section 3.8.6.1)
  } else if (c.sndWnd > before) {
    c.persistAtUs = null;
    c.retransmits = 0;
    c.probes = 0;
    if (c.sndUna !== c.sndNxt) {
      // The probe's byte found no room.
      c.resend = c.sndUna;
      c.resendEnd = c.sndNxt;
      c.retransmitAtUs ??= nowUs + c.rtoUs;
    }
  }
}
