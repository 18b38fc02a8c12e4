/**
 * Where Linux keeps less than a connection: a request before there is one, and what is left of it in TIME-WAIT and in the
 * FIN-WAIT-2 of an orphan. They judge segments by rules of their own (net/ipv4/tcp_minisocks.c).
 */
import { seqAdd, seqLe, seqLt, type Seq } from "../codec/seq.ts";
import { ACK, FIN, RST, SYN, sequenceLength, type TcpSegment } from "../codec/tcp.ts";
import { mayAnswer } from "./challenge.ts";
import { enterTimeWait } from "./closing.ts";
import { becomeClosed, type Connection } from "./connection.ts";
import { isOldByTimestamp, noteTimestamp } from "./options.ts";
import { reply, resetFor } from "./segment.ts";
import { listenAgain, resendSyn } from "./setup.ts";

/**
 * tcp_check_req: until the third segment has come there is only a request for a connection. True if the segment establishes the connection, and goes on to be
 * judged by it.
 */
export function arriveAtRequest(c: Connection, nowUs: number, segment: TcpSegment): boolean {
  const { flags, ack } = segment;
  const end = seqAdd(segment.seq, sequenceLength(segment));
  const old = isOldByTimestamp(c, segment, nowUs, 0);
  if (segment.seq === c.irs && (flags & (SYN | ACK | RST)) === SYN && !old) {
    if (mayAnswer(c, nowUs, segment)) resendSyn(c);
    return false;
  }
  if (flags & RST) {
    if (!old && segment.seq === c.rcvNxt) listenAgain(c);
    else if (!old && touches(c, segment.seq, end) && mayAnswer(c, nowUs, segment)) c.ackNow = true;
    return false;
  }
  if (flags & ACK && ack !== seqAdd(c.iss, 1)) {
    reply(c, resetFor(segment));
    return false;
  }
  if (old || !touches(c, segment.seq, end)) {
    if (mayAnswer(c, nowUs, segment)) c.ackNow = true;
    return false;
  }
  if (flags & SYN && segment.seq !== c.irs) {
    reply(c, resetFor(segment));
    listenAgain(c);
    return false;
  }
  return (flags & ACK) !== 0;
}

/** tcp_timewait_state_process. TIME-WAIT knows no window, and looks at RCV.NXT alone. */
export function arriveInTimeWaitOfLinux(c: Connection, nowUs: number, segment: TcpSegment): void {
  const { flags } = segment;
  const old = isOldByTimestamp(c, segment, nowUs, 0);
  const length = sequenceLength(segment);
  if (!old && segment.seq === c.rcvNxt && (length === 0 || flags & RST)) {
    if (!(flags & RST)) enterTimeWait(c, nowUs);
    else if (!c.settings.rfc1337) becomeClosed(c);
    noteTimestamp(c, segment, nowUs);
    return;
  }
  if (flags & RST) return;
  if (old || flags & ACK) enterTimeWait(c, nowUs);
  if (mayAnswer(c, nowUs, segment)) c.ackNow = true;
}

/** FIN-WAIT-2 without a user is kept as a TIME-WAIT is, and judged by the first part of the same function. */
export function arriveAtOrphanOfLinux(c: Connection, nowUs: number, segment: TcpSegment): void {
  const { flags } = segment;
  const end = seqAdd(segment.seq, sequenceLength(segment));
  if (isOldByTimestamp(c, segment, nowUs, 0) || !touches(c, segment.seq, end)) {
    if (mayAnswer(c, nowUs, segment)) c.ackNow = true;
    return;
  }
  if (flags & RST) {
    becomeClosed(c);
  } else if (flags & SYN && seqLe(c.rcvNxt, segment.seq)) {
    resetAndClose(c, segment);
  } else if (flags & ACK && seqLt(c.rcvNxt, end) && end !== segment.seq) {
    if (!(flags & FIN) || end !== seqAdd(c.rcvNxt, 1)) {
      resetAndClose(c, segment);
      return;
    }
    c.rcvNxt = end;
    c.ackNow = true;
    noteTimestamp(c, segment, nowUs);
    enterTimeWait(c, nowUs);
  }
}

function resetAndClose(c: Connection, segment: TcpSegment): void {
  reply(c, resetFor(segment));
  becomeClosed(c);
}

/** tcp_in_window. */
function touches(c: Connection, from: Seq, end: Seq): boolean {
  if (from === c.rcvNxt) return true;
  if (seqLt(c.rcvNxt, end) && seqLt(from, c.rcvEdge)) return true;
  return from === c.rcvEdge && from === end;
}
