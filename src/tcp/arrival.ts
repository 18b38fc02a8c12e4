/** SEGMENT ARRIVES: RFC 9293 section 3.10.7, in its order, with RFC 5961, 7323 and 1337 where they belong. */
import { seqAdd, seqDiff, seqLe, seqLt } from "../codec/seq.ts";
import { ACK, FIN, RST, SYN, sequenceLength, type TcpSegment } from "../codec/tcp.ts";
import { takeAck, takeWindow } from "./acknowledgement.ts";
import { challenge, mayAnswer } from "./challenge.ts";
import { afterFinAcknowledged, endsWithFin, enterTimeWait } from "./closing.ts";
import { becomeClosed, finAcknowledged, finReceived, raise, receiveWindow, type Connection } from "./connection.ts";
import { arriveAtOrphanOfLinux, arriveAtRequest, arriveInTimeWaitOfLinux } from "./linux.ts";
import { isOldByTimestamp, noteTimestamp, optionOf, timestampAhead } from "./options.ts";
import { sampleAck } from "./rto.ts";
import { reply, resetFor } from "./segment.ts";
import { arriveInListen, arriveInSynSent, becomeEstablished, listenAgain } from "./setup.ts";
import { takeText } from "./text.ts";
import { restartsTimeWait } from "./time-wait.ts";

/** A segment for this connection has arrived. Its ports are taken to fit; its payload is kept, and must not change. */
export function handleSegment(c: Connection, nowUs: number, segment: TcpSegment): void {
  const { profile } = c.settings;
  switch (c.state) {
    case "CLOSED":
      reply(c, resetFor(segment));
      return;
    case "LISTEN":
      arriveInListen(c, nowUs, segment);
      return;
    case "SYN-SENT":
      arriveInSynSent(c, nowUs, segment);
      return;
    case "SYN-RECEIVED":
      if (profile.synReceived === "linux" && c.passive && !arriveAtRequest(c, nowUs, segment)) return;
      break;
    case "FIN-WAIT-2":
      if (profile.timeWait === "linux" && c.orphaned) {
        arriveAtOrphanOfLinux(c, nowUs, segment);
        return;
      }
      break;
    case "TIME-WAIT":
      if (profile.timeWait === "linux") {
        arriveInTimeWaitOfLinux(c, nowUs, segment);
        return;
      }
      break;
    case "ESTABLISHED":
    case "FIN-WAIT-1":
    case "CLOSE-WAIT":
    case "CLOSING":
    case "LAST-ACK":
  }
  if (profile.ignoresFlagless && !(segment.flags & (ACK | RST | SYN))) return;
  if (isValid(c, nowUs, segment)) process(c, nowUs, segment);
}

/** Steps 1 to 4: the sequence number, RST, SYN. */
function isValid(c: Connection, nowUs: number, segment: TcpSegment): boolean {
  const { flags } = segment;
  const { profile, rfc5961 } = c.settings;
  if (completesSimultaneousOpen(c, segment)) return true;
  if (!(flags & RST)) {
    if (isOldByTimestamp(c, segment, nowUs, profile.pawsSlack)) {
      const excused = profile.excusesOvertakenAcks && isOvertakenAck(c, segment);
      if (!excused && mayAnswer(c, nowUs, segment)) c.ackNow = true;
      return false;
    }
    // A SYN is challenged all the same (RFC 5961 section 4.2): its sender may have begun anew.
    const wanted = profile.wantsTimestamps && c.tsRecent !== null && !(flags & SYN);
    if (wanted && !optionOf(segment, "timestamps")) return false;
  }
  if (!isAcceptable(c, segment)) {
    if (restartsTimeWait(c, segment) && c.state === "TIME-WAIT") enterTimeWait(c, nowUs);
    if (flags & RST) {
      if (isResetBelowFin(c, segment)) takeReset(c);
    } else if (mayAnswer(c, nowUs, segment)) {
      c.ackNow = true;
    }
    return false;
  }
  if (flags & RST) {
    if (segment.seq === c.rcvNxt || isResetBelowFin(c, segment) || !rfc5961) takeReset(c);
    else challenge(c, nowUs);
    return false;
  }
  if (flags & SYN) {
    if (c.state === "SYN-RECEIVED" && c.passive && profile.synReceived === "rfc9293") listenAgain(c);
    else if (rfc5961) challenge(c, nowUs);
    else refuseSyn(c, segment);
    return false;
  }
  return true;
}

/** An ACK alone, from before, or one that repeats the last one within a retransmission timeout. */
function isOvertakenAck(c: Connection, segment: TcpSegment): boolean {
  if (sequenceLength(segment) > 0 || !(segment.flags & ACK)) return false;
  if (segment.seq !== c.rcvNxt) return seqLt(segment.seq, c.rcvNxt);
  const window = segment.window * 2 ** c.sndShift;
  const updates = seqLt(c.sndWl1, segment.seq) || window > c.sndWnd || window === 0;
  return segment.ack === c.sndUna && !updates && -timestampAhead(c, segment)! * 1000 <= 1.2 * c.rtoUs;
}

/** Both have sent a SYN, and this is the peer's once more, now with the ACK of ours (RFC 9293 figure 7). */
function completesSimultaneousOpen(c: Connection, { flags, seq: from, ack, payload }: TcpSegment): boolean {
  return (
    c.state === "SYN-RECEIVED" &&
    !c.passive &&
    (flags & (SYN | ACK | RST | FIN)) === (SYN | ACK) &&
    from === c.irs &&
    ack === c.sndNxt &&
    payload.length === 0
  );
}

/** RFC 9293 section 3.4, the table; and what Linux makes of it. */
function isAcceptable(c: Connection, segment: TcpSegment): boolean {
  const length = sequenceLength(segment);
  const end = seqAdd(segment.seq, length);
  if (c.settings.profile.window === "linux") {
    if (seqLt(end, c.lastAckSent)) return false;
    // Some systems send a FIN that the window has no room for.
    if (seqLe(segment.flags & FIN ? seqAdd(end, -1) : end, c.rcvEdge)) return true;
    return seqLe(segment.seq, c.rcvEdge) && c.receiveLength === 0 && !finReceived(c);
  }
  const window = receiveWindow(c);
  const offset = seqDiff(segment.seq, c.rcvNxt);
  // A RST is judged by its number alone (section 3.5.3), behind a zero window too (MUST-66).
  const isPoint = length === 0 || segment.flags & RST;
  if (isPoint) return window === 0 ? offset === 0 : offset >= 0 && offset < window;
  return window > 0 && ((offset >= 0 && offset < window) || (offset + length > 0 && offset + length <= window));
}

function isResetBelowFin(c: Connection, segment: TcpSegment): boolean {
  if (!c.settings.profile.resetBelowFin || seqDiff(c.rcvNxt, segment.seq) !== 1) return false;
  return c.state === "CLOSE-WAIT" || c.state === "LAST-ACK" || c.state === "CLOSING";
}

/** RFC 793, page 71: a SYN in the window is an error, and ends the connection at both ends. */
function refuseSyn(c: Connection, segment: TcpSegment): void {
  reply(c, resetFor(segment));
  becomeClosed(c, "reset");
}

/** A RST that can be believed (RFC 9293 section 3.10.7.4, second). */
function takeReset(c: Connection): void {
  const { profile, rfc1337 } = c.settings;
  switch (c.state) {
    case "SYN-RECEIVED":
      if (c.passive) listenAgain(c);
      else becomeClosed(c, "refused");
      return;
    case "CLOSE-WAIT":
      becomeClosed(c, profile.resetInCloseWait);
      return;
    case "CLOSING":
    case "LAST-ACK":
      becomeClosed(c, profile.resetWhileClosing ? "reset" : null);
      return;
    case "TIME-WAIT":
      if (!rfc1337) becomeClosed(c);
      return;
    default:
      becomeClosed(c, "reset");
  }
}

/** Steps 5 to 8: ACK, text, FIN. */
function process(c: Connection, nowUs: number, segment: TcpSegment): void {
  const { profile } = c.settings;
  if (!(segment.flags & ACK)) return;
  if (!isPredicted(c, segment)) c.held = false;
  if (c.state === "SYN-RECEIVED") {
    if (seqLe(segment.ack, c.sndUna) || seqLt(c.sndNxt, segment.ack)) {
      reply(c, resetFor(segment));
      return;
    }
    completeSetup(c, nowUs, segment);
  } else if (!takeAck(c, nowUs, segment)) {
    return;
  }
  noteTimestamp(c, segment, nowUs);
  if (finAcknowledged(c) && c.state === "FIN-WAIT-1" && endsWithFin(c)) {
    reply(c, resetFor(segment));
    becomeClosed(c);
    return;
  }
  if (finAcknowledged(c) && !afterFinAcknowledged(c, nowUs)) return;
  // In Linux nothing else is left of the connection now, and what the segment brings again is not answered.
  if (profile.timeWait === "linux" && c.state === "FIN-WAIT-2" && c.orphaned && !bringsNews(c, segment)) return;
  if (profile.resetsDataPastFin && reachesPastFin(c, segment)) {
    reply(c, resetFor(segment));
    takeReset(c);
    return;
  }
  takeText(c, nowUs, segment);
}

/** Header prediction: of data in turn that acknowledge nothing new Linux does not ask what may be sent now. */
function isPredicted(c: Connection, { flags, seq: from, ack, payload }: TcpSegment): boolean {
  const hasReceived = c.passive || c.rcvNxt !== seqAdd(c.irs, 1);
  return payload.length > 0 && !(flags & FIN) && from === c.rcvNxt && ack === c.sndUna && hasReceived;
}

function bringsNews(c: Connection, segment: TcpSegment): boolean {
  return (segment.flags & FIN) !== 0 || seqLt(c.rcvNxt, seqAdd(segment.seq, segment.payload.length));
}

/** It has come before, but not all of it. */
function reachesPastFin(c: Connection, segment: TcpSegment): boolean {
  const end = seqAdd(segment.seq, segment.payload.length);
  return finReceived(c) && seqLt(segment.seq, c.rcvNxt) && seqLt(c.rcvNxt, end);
}

function completeSetup(c: Connection, nowUs: number, segment: TcpSegment): void {
  sampleAck(c, nowUs, segment);
  c.sndUna = seqAdd(c.iss, 1);
  becomeEstablished(c);
  takeWindow(c, nowUs, segment);
  if (seqLt(c.sndUna, segment.ack)) takeAck(c, nowUs, segment);
  raise(c, "connected");
}
