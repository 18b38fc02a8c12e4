/** How connections end: the user's calls SHUTDOWN, CLOSE and ABORT, and what follows from FINs (RFC 9293 section 3.6). */
import { seqAdd } from "../codec/seq.ts";
import { ACK, RST } from "../codec/tcp.ts";
import { becomeClosed, dataStart, finAcknowledged, raise, type Connection } from "./connection.ts";
import { makeSegment, reply } from "./segment.ts";

/** The user sends no more, and may go on receiving. What it has sent goes first, then a FIN. */
export function shutdown(c: Connection): void {
  switch (c.state) {
    case "LISTEN":
    case "SYN-SENT":
      becomeClosed(c);
      return;
    case "SYN-RECEIVED":
      c.finSeq ??= seqAdd(dataStart(c), c.sendLength);
      // With data to send, the FIN waits for ESTABLISHED (RFC 9293 section 3.10.4).
      if (c.sendLength === 0) c.state = "FIN-WAIT-1";
      return;
    case "ESTABLISHED":
      c.finSeq = seqAdd(dataStart(c), c.sendLength);
      c.state = "FIN-WAIT-1";
      return;
    case "CLOSE-WAIT":
      c.finSeq = seqAdd(dataStart(c), c.sendLength);
      c.state = "LAST-ACK";
      return;
    case "FIN-WAIT-1":
    case "FIN-WAIT-2":
    case "CLOSING":
    case "LAST-ACK":
    case "TIME-WAIT":
    case "CLOSED":
  }
}

/**
 * The user is gone: it sends no more, and reads no more. If it leaves data unread, the peer is told by a RST that they
 * are lost (RFC 9293 section 3.6.1, RFC 2525 section 2.17).
 */
export function close(c: Connection, nowUs: number): void {
  c.orphaned = true;
  if (c.receiveLength > 0 && c.state !== "TIME-WAIT" && c.state !== "CLOSED") {
    abort(c, nowUs);
    return;
  }
  shutdown(c);
  if (c.state !== "FIN-WAIT-2" || c.expireAtUs !== null) return;
  if (endsWithFin(c)) abort(c, nowUs);
  else waitAsOrphan(c, nowUs);
}

/** Nobody waits for the peer's FIN once ours is acknowledged (negative TCP_LINGER2). */
export function endsWithFin(c: Connection): boolean {
  return c.orphaned && (c.settings.orphanFinWait2Us ?? 0) < 0;
}

/** ABORT (RFC 9293 section 3.10.5), or close with SO_LINGER on and 0: a RST, and nothing is left. */
export function abort(c: Connection, nowUs: number): void {
  c.orphaned = true;
  switch (c.state) {
    case "SYN-RECEIVED":
    case "ESTABLISHED":
    case "FIN-WAIT-1":
    case "FIN-WAIT-2":
    case "CLOSE-WAIT":
      reply(c, makeSegment(c, nowUs, c.settings.profile.resetAcknowledges ? RST | ACK : RST, c.sndNxt));
      break;
    case "CLOSED":
      return;
    case "LISTEN":
    case "SYN-SENT":
    case "CLOSING":
    case "LAST-ACK":
    case "TIME-WAIT":
  }
  c.ackNow = false;
  c.receiveQueue = [];
  c.receiveLength = 0;
  becomeClosed(c);
}

function waitAsOrphan(c: Connection, nowUs: number): void {
  const { orphanFinWait2Us } = c.settings;
  if (orphanFinWait2Us !== null) c.expireAtUs = nowUs + orphanFinWait2Us;
}

/** Our FIN is acknowledged. False if the connection is over. */
export function afterFinAcknowledged(c: Connection, nowUs: number): boolean {
  switch (c.state) {
    case "FIN-WAIT-1":
      c.state = "FIN-WAIT-2";
      if (c.orphaned) waitAsOrphan(c, nowUs);
      return true;
    case "CLOSING":
      enterTimeWait(c, nowUs);
      return false;
    case "LAST-ACK":
      becomeClosed(c);
      return false;
    default:
      return true;
  }
}

/** The peer's FIN has its turn: all before it has been received. */
export function takeFin(c: Connection, nowUs: number): void {
  c.rcvNxt = seqAdd(c.rcvNxt, 1);
  raise(c, "end");
  switch (c.state) {
    case "SYN-RECEIVED":
    case "ESTABLISHED":
      c.state = "CLOSE-WAIT";
      acknowledgeFin(c, nowUs);
      return;
    case "FIN-WAIT-1":
      c.ackNow = true;
      if (finAcknowledged(c)) enterTimeWait(c, nowUs);
      else c.state = "CLOSING";
      return;
    case "FIN-WAIT-2":
      c.ackNow = true;
      enterTimeWait(c, nowUs);
      return;
    default:
  }
}

/** The ACK of a FIN may wait for ours, if that comes soon. */
function acknowledgeFin(c: Connection, nowUs: number): void {
  const { finAckDelayUs, delayedAckUs } = c.settings.profile;
  if (finAckDelayUs === null || c.ackNow) {
    c.ackNow = true;
    return;
  }
  c.delayedAckAtUs ??= nowUs + (c.lastReceivedAtUs === null ? finAckDelayUs : delayedAckUs);
}

/** 2 MSL from now, or none: then the connection is CLOSED, and its last ACK still goes. */
export function enterTimeWait(c: Connection, nowUs: number): void {
  const { timeWaitUs } = c.settings;
  if (timeWaitUs === 0) {
    becomeClosed(c);
    return;
  }
  c.retransmitAtUs = null;
  c.persistAtUs = null;
  c.delayedAckAtUs = null;
  c.state = "TIME-WAIT";
  c.expireAtUs = nowUs + timeWaitUs;
}
