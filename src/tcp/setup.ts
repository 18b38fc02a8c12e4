/** How connections begin: OPEN, and segments in LISTEN and SYN-SENT (RFC 9293 sections 3.10.1, 3.10.7.2 and 3.10.7.3). */
import { seq, seqAdd, seqLe, seqLt, type Seq } from "../codec/seq.ts";
import { ACK, FIN, RST, SYN, type TcpSegment } from "../codec/tcp.ts";
import { becomeClosed, raise, type Connection, type ConnectionState } from "./connection.ts";
import { agree, NOT_SCALED } from "./options.ts";
import { sampleAck } from "./rto.ts";
import { firstWindow, reply, resetFor } from "./segment.ts";
import type { Settings } from "./settings.ts";

const NONE = seq(0);
/** RFC 6298 rule 2.1. */
const RTO_INITIAL_US = 1_000_000;

function opened(settings: Settings, state: ConnectionState, iss: Seq): Connection {
  return {
    settings,
    state,
    remotePort: settings.remotePort,
    passive: state === "LISTEN",
    orphaned: false,
    deaf: false,
    error: null,
    iss,
    sndUna: iss,
    sndNxt: iss,
    resend: null,
    resendEnd: iss,
    sndWnd: 0,
    sndWl1: NONE,
    sndWl2: NONE,
    maxSndWnd: 0,
    sndMss: settings.mssUnsaid,
    sndShift: 0,
    sendQueue: [],
    sendLength: 0,
    more: false,
    held: false,
    finSeq: null,
    smallEnd: null,
    irs: NONE,
    rcvNxt: NONE,
    rcvEdge: NONE,
    rcvShift: NOT_SCALED,
    lastAckSent: NONE,
    receiveQueue: [],
    receiveLength: 0,
    outOfOrder: [],
    peerFin: null,
    tsRecent: null,
    tsRecentAtUs: 0,
    srttUs: null,
    rttvarUs: 0,
    rtoUs: RTO_INITIAL_US,
    timedSeq: null,
    timedAtUs: 0,
    retransmits: 0,
    probes: 0,
    cwnd: settings.initialWindow * settings.mssUnsaid,
    ssthresh: 2 ** 30,
    dupAcks: 0,
    recover: null,
    ackNow: false,
    probe: false,
    replies: [],
    quickAcks: settings.profile.quickAcks,
    interactive: false,
    lastReceivedAtUs: null,
    challengesLeft: settings.profile.challengeAcks.count,
    challengesSinceUs: null,
    retransmitAtUs: null,
    persistAtUs: null,
    delayedAckAtUs: null,
    expireAtUs: null,
    events: [],
  };
}

/** An active OPEN: a connection in SYN-SENT, whose SYN is to be sent. */
export function connect(settings: Settings, iss: Seq): Connection {
  return opened(settings, "SYN-SENT", iss);
}

/**
 * A passive OPEN: a connection in LISTEN, which the first SYN turns into SYN-RECEIVED, with `iss`. A host that goes on
 * listening gives each SYN a connection of its own.
 */
export function listen(settings: Settings, iss: Seq): Connection {
  return opened(settings, "LISTEN", iss);
}

/** Back to LISTEN, as if nothing had come (RFC 9293 section 3.10.7.4, SYN-RECEIVED). What the last segment drew still goes. */
export function listenAgain(c: Connection): void {
  const { replies } = c;
  Object.assign(c, opened(c.settings, "LISTEN", c.iss), { replies });
}

function takeSyn(c: Connection, syn: TcpSegment, nowUs: number): void {
  c.irs = syn.seq;
  c.rcvNxt = seqAdd(syn.seq, 1);
  c.lastAckSent = c.rcvNxt;
  c.rcvEdge = seqAdd(c.rcvNxt, firstWindow(c));
  agree(c, syn, nowUs);
}

/** The window of the SYN counts as it is, not scaled. */
function takeFirstWindow(c: Connection, syn: TcpSegment): void {
  c.sndWnd = syn.window;
  c.maxSndWnd = Math.max(c.maxSndWnd, syn.window);
  c.sndWl1 = syn.seq;
  c.sndWl2 = syn.ack;
}

/** RFC 9293 section 3.10.7.2. Data on the SYN are not taken: they are not acknowledged, and so come again. */
export function arriveInListen(c: Connection, nowUs: number, segment: TcpSegment): void {
  if (segment.flags & RST) return;
  if (segment.flags & ACK) {
    reply(c, resetFor(segment));
    return;
  }
  if (!(segment.flags & SYN) || (segment.flags & FIN && c.settings.profile.dropsSynFin)) return;
  c.remotePort = segment.sourcePort;
  takeSyn(c, segment, nowUs);
  takeFirstWindow(c, segment);
  c.state = "SYN-RECEIVED";
}

/** RFC 9293 section 3.10.7.3. */
export function arriveInSynSent(c: Connection, nowUs: number, segment: TcpSegment): void {
  const { flags, ack } = segment;
  const acknowledges = (flags & ACK) !== 0;
  if (acknowledges && (seqLe(ack, c.iss) || seqLt(c.sndNxt, ack))) {
    const { synAgainUs } = c.settings.profile;
    if (synAgainUs !== null && c.retransmits === 0) c.retransmitAtUs = nowUs + synAgainUs;
    reply(c, resetFor(segment));
    return;
  }
  if (flags & RST) {
    if (acknowledges) becomeClosed(c, "refused");
    return;
  }
  if (!(flags & SYN)) return;
  takeSyn(c, segment, nowUs);
  takeFirstWindow(c, segment);
  if (!acknowledges) {
    // Both have begun: our SYN goes again, now with an ACK.
    c.state = "SYN-RECEIVED";
    resendSyn(c);
    return;
  }
  sampleAck(c, nowUs, segment);
  c.sndUna = ack;
  becomeEstablished(c);
  c.ackNow = true;
}

export function resendSyn(c: Connection): void {
  if (c.sndNxt === c.iss) return; // it has not even been sent
  c.resend = c.iss;
  c.resendEnd = seqAdd(c.iss, 1);
}

/** RFC 6298 rule 5.7: what a lost SYN teaches. */
const RTO_AFTER_LOST_SYN_US = 3_000_000;

/** The SYN is acknowledged. If the user has closed meanwhile, the FIN is next. */
export function becomeEstablished(c: Connection): void {
  c.state = c.finSeq === null ? "ESTABLISHED" : "FIN-WAIT-1";
  if (c.retransmits > 0 && c.srttUs === null) c.rtoUs = RTO_AFTER_LOST_SYN_US;
  c.retransmits = 0;
  c.retransmitAtUs = null;
  c.resend = null;
  raise(c, "connected");
}
