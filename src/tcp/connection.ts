/**
 * One TCP connection as plain data: integers, byte ranges, deadlines. Nothing in it is ever changed in place but the
 * record's own fields (arrays and byte ranges are replaced), so a shallow copy is a copy.
 *
 * A user of this room, after every segment, call and timeout: takes segments from `pollTransmit` until there is none, looks at
 * `pollTimeout`, and calls `handleTimeout` when that time has come. Times are microseconds, from whatever beginning.
 */
import { seqAdd, seqLt, type Seq } from "../codec/seq.ts";
import type { TcpState } from "../codec/state.ts";
import type { TcpSegment } from "../codec/tcp.ts";
import type { Piece } from "./reassembly.ts";
import type { Settings } from "./settings.ts";

export type ConnectionState = Exclude<TcpState, "BOUND">;

/** Why a connection is over before its time. `reset` and `broken-pipe`: the peer sent a RST. */
export type ConnectionError = "reset" | "refused" | "broken-pipe" | "timeout";

/**
 * What the user should look at: it is connected, there are data, the peer has ended its stream, there is room for data
 * to send, it has failed (`error` says how), it is CLOSED.
 */
export type ConnectionEvent = "connected" | "data" | "end" | "space" | "error" | "closed";

export interface Connection {
  /** Never changed; copies share it. */
  readonly settings: Settings;
  state: ConnectionState;
  remotePort: number;
  /** It began in LISTEN. */
  passive: boolean;
  /** The user has closed it, and will read nothing more. */
  orphaned: boolean;
  /** The user has said that it will read no more (SHUT_RD). */
  deaf: boolean;
  error: ConnectionError | null;

  // The send sequence variables of RFC 9293 section 3.3.1.
  iss: Seq;
  sndUna: Seq;
  /** The first number never sent. */
  sndNxt: Seq;
  /** What is to be sent again: from here … null if nothing is. */
  resend: Seq | null;
  /** … to here. */
  resendEnd: Seq;
  sndWnd: number;
  sndWl1: Seq;
  sndWl2: Seq;
  /** The largest window that the peer has offered (RFC 5961 section 5.2). */
  maxSndWnd: number;
  sndMss: number;
  sndShift: number;
  /** Data from SND.UNA on, sent and unsent. */
  sendQueue: readonly Uint8Array[];
  sendLength: number;
  /** The user has said that more follows at once (MSG_MORE): what waits to be sent is not pushed. */
  more: boolean;
  /** Less than a full segment waits for it. Linux does so only until a segment arrives (tcp_data_snd_check). */
  held: boolean;
  /** The number that our FIN has, or will have; null while the user may send. */
  finSeq: Seq | null;
  /** Where the last segment ended that was less than full; null: acknowledged, or there was none. */
  smallEnd: Seq | null;

  // The receive sequence variables.
  irs: Seq;
  rcvNxt: Seq;
  /** The right edge of the window as the peer knows it: RCV.NXT + RCV.WND. It never moves left. */
  rcvEdge: Seq;
  rcvShift: number;
  /** The last RCV.NXT that was sent: Last.ACK.sent of RFC 7323. */
  lastAckSent: Seq;
  /** Received in order, not yet read. */
  receiveQueue: readonly Uint8Array[];
  receiveLength: number;
  /** Received ahead of RCV.NXT: in order of their numbers, apart from each other. */
  outOfOrder: readonly Piece[];
  /** The number of the peer's FIN, if it has come, perhaps ahead of its turn. */
  peerFin: Seq | null;

  // RFC 7323. TS.Recent is null until timestamps are agreed on.
  tsRecent: number | null;
  tsRecentAtUs: number;

  // RFC 6298.
  srttUs: number | null;
  rttvarUs: number;
  rtoUs: number;
  /** The segment that is being timed, by its end; null without one. */
  timedSeq: Seq | null;
  timedAtUs: number;
  /** How often in a row the oldest segment has been sent again, or the window been probed, without an answer. */
  retransmits: number;
  /** How often the closed window has been probed, answered or not. */
  probes: number;

  // RFC 5681 and 6582, in bytes.
  cwnd: number;
  ssthresh: number;
  dupAcks: number;
  /** In fast recovery until this number is acknowledged. */
  recover: Seq | null;

  // What is to be sent.
  ackNow: boolean;
  probe: boolean;
  replies: readonly TcpSegment[];
  /** How many more segments are acknowledged at once. */
  quickAcks: number;
  /** The user answers what it receives: an ACK waits for the answer to ride on. */
  interactive: boolean;
  lastReceivedAtUs: number | null;

  // RFC 5961 section 7.
  challengesLeft: number;
  challengesSinceUs: number | null;

  // Deadlines; null for a timer that does not run.
  retransmitAtUs: number | null;
  persistAtUs: number | null;
  delayedAckAtUs: number | null;
  /** The end of TIME-WAIT, or of an orphan's FIN-WAIT-2. */
  expireAtUs: number | null;

  events: readonly ConnectionEvent[];
}

/** A copy that shares nothing that is ever changed. */
export function copyConnection(connection: Connection): Connection {
  return { ...connection };
}

/** What the user has to be told next; undefined if nothing. */
export function pollEvent(connection: Connection): ConnectionEvent | undefined {
  const event = connection.events[0];
  if (event !== undefined) connection.events = connection.events.slice(1);
  return event;
}

export function raise(connection: Connection, event: ConnectionEvent): void {
  if (!connection.events.includes(event)) connection.events = [...connection.events, event];
}

/** The number of the first byte of the send queue. */
export function dataStart(c: Connection): Seq {
  return c.sndUna === c.iss ? seqAdd(c.iss, 1) : c.sndUna;
}

export function finSent(c: Connection): boolean {
  return c.finSeq !== null && seqLt(c.finSeq, c.sndNxt);
}

export function finAcknowledged(c: Connection): boolean {
  return c.finSeq !== null && seqLt(c.finSeq, c.sndUna);
}

/** The peer's FIN has had its turn. */
export function finReceived(c: Connection): boolean {
  return c.peerFin !== null && seqLt(c.peerFin, c.rcvNxt);
}

/** The window as the peer knows it, bytes. */
export function receiveWindow(c: Connection): number {
  return Math.max(0, (c.rcvEdge - c.rcvNxt) | 0);
}

export function stopTimers(c: Connection): void {
  c.retransmitAtUs = null;
  c.persistAtUs = null;
  c.delayedAckAtUs = null;
  c.expireAtUs = null;
}

/** The connection is no more. What waits to be sent of RSTs and ACKs still goes. */
export function becomeClosed(c: Connection, error: ConnectionError | null = null): void {
  stopTimers(c);
  c.state = "CLOSED";
  c.resend = null;
  c.sendQueue = [];
  c.sendLength = 0;
  c.outOfOrder = [];
  c.probe = false;
  if (error !== null) {
    c.error = error;
    c.ackNow = false;
    raise(c, "error");
    if (!c.settings.profile.keepsDataAfterReset) {
      c.receiveQueue = [];
      c.receiveLength = 0;
    }
  }
  raise(c, "closed");
}
