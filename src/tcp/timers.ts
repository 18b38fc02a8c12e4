/** The timers of a connection, and what happens when their time has come. */
import { seqDiff } from "../codec/seq.ts";
import { becomeClosed, type Connection } from "./connection.ts";
import { backOff } from "./rto.ts";
import { listenAgain } from "./setup.ts";

/** When `handleTimeout` has to be called, microseconds; undefined if no timer runs. */
export function pollTimeout(c: Connection): number | undefined {
  let least = Infinity;
  if (c.retransmitAtUs !== null) least = c.retransmitAtUs;
  if (c.persistAtUs !== null && c.persistAtUs < least) least = c.persistAtUs;
  if (c.delayedAckAtUs !== null && c.delayedAckAtUs < least) least = c.delayedAckAtUs;
  if (c.expireAtUs !== null && c.expireAtUs < least) least = c.expireAtUs;
  return least === Infinity ? undefined : least;
}

/** Does what is due by now; before its time nothing happens. */
export function handleTimeout(c: Connection, nowUs: number): void {
  if (c.expireAtUs !== null && c.expireAtUs <= nowUs) {
    becomeClosed(c);
    return;
  }
  if (c.delayedAckAtUs !== null && c.delayedAckAtUs <= nowUs) {
    c.delayedAckAtUs = null;
    c.interactive = false;
    c.ackNow = true;
  }
  if (c.retransmitAtUs !== null && c.retransmitAtUs <= nowUs) retransmit(c, nowUs);
  if (c.persistAtUs !== null && c.persistAtUs <= nowUs) probe(c, nowUs);
}

/** How often it is sent again before the connection is given up (RFC 9293 section 3.8.3, R2). */
function retries(c: Connection): number {
  const { profile } = c.settings;
  if (c.state === "SYN-SENT") return profile.synRetries;
  if (c.state === "SYN-RECEIVED") return profile.synAckRetries;
  return c.orphaned ? profile.orphanRetries : profile.dataRetries;
}

function giveUp(c: Connection): void {
  // A request that nobody completes is forgotten; its listener goes on.
  if (c.state === "SYN-RECEIVED" && c.passive) listenAgain(c);
  else becomeClosed(c, "timeout");
}

/** RFC 6298 section 5, RFC 5681 section 3.1: all that is under way counts as lost, the oldest goes first. */
function retransmit(c: Connection, nowUs: number): void {
  if (c.retransmits >= retries(c)) {
    giveUp(c);
    return;
  }
  if (c.retransmits === 0) c.ssthresh = Math.max(Math.floor(seqDiff(c.sndNxt, c.sndUna) / 2), 2 * c.sndMss);
  c.retransmits++;
  c.cwnd = c.sndMss;
  c.dupAcks = 0;
  c.recover = null;
  c.resend = c.sndUna;
  c.resendEnd = c.sndNxt;
  c.timedSeq = null;
  backOff(c);
  c.retransmitAtUs = nowUs + c.rtoUs;
}

/** RFC 9293 section 3.8.6.1: the interval between probes grows as that between retransmissions does. */
function probe(c: Connection, nowUs: number): void {
  if (c.retransmits >= retries(c)) {
    giveUp(c);
    return;
  }
  c.retransmits++;
  c.probe = true;
  c.persistAtUs = nowUs + Math.min(c.settings.profile.rtoMaxUs, c.rtoUs * 2 ** ++c.probes);
}
