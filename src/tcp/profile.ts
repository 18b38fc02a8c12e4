/**
 * What TCPs do differently where RFC 9293 leaves a choice, or where they leave RFC 9293. Each difference is one field; where
 * it comes from is said here, and test/tcp/profiles.test.ts has a test for each.
 */
export interface Profile {
  readonly name: "rfc9293" | "linux";
  /** How long TIME-WAIT lasts: twice RFC 9293's MSL of 2 minutes; TCP_TIMEWAIT_LEN (include/net/tcp.h), a constant. */
  readonly timeWaitUs: number;
  /**
   * How long FIN-WAIT-2 waits for a peer when the user is gone; null for ever: RFC 9293 section 3.10.8 has no such timeout.
   * Linux: net.ipv4.tcp_fin_timeout, counted from the ACK of the FIN (net/ipv4/tcp_input.c, tcp_rcv_state_process).
   */
  readonly orphanFinWait2Us: number | null;
  /** The least retransmission timeout (RFC 6298 rule 2.4; TCP_RTO_MIN, include/net/tcp.h). */
  readonly rtoMinUs: number;
  /** What that minimum bounds: the timeout, or, as tcp_rtt_estimator has it, only its part for the variance. */
  readonly rtoMinOf: "timeout" | "variance";
  /** RFC 6298 rule 2.5; TCP_RTO_MAX. */
  readonly rtoMaxUs: number;
  /** How often a SYN is sent again: RFC 9293 MUST-23 wants 3 minutes of trying; net.ipv4.tcp_syn_retries. */
  readonly synRetries: number;
  /**
   * How soon a SYN is sent again that an unacceptable ACK has answered, beside the RST that this draws: the old connection
   * that it comes from may be gone by then. RFC 9293 section 3.10.7.3 knows no hurry; Linux waits two ticks
   * (TCP_TIMEOUT_MIN, tcp_rcv_synsent_state_process).
   */
  readonly synAgainUs: number | null;
  /** So many of them without doubling the timeout: net.ipv4.tcp_syn_linear_timeouts. */
  readonly synLinearRetries: number;
  /** How often a SYN,ACK is sent again: net.ipv4.tcp_synack_retries. */
  readonly synAckRetries: number;
  /** How often data are sent again: RFC 9293 SHLD-11 wants 100 s of trying; net.ipv4.tcp_retries2. */
  readonly dataRetries: number;
  /** The same when the user is gone: net.ipv4.tcp_orphan_retries, whose 0 means 8 (net/ipv4/tcp_timer.c). */
  readonly orphanRetries: number;
  /** RFC 9293 section 3.8.6.3: less than 500 ms; TCP_ATO_MIN. */
  readonly delayedAckUs: number;
  /** How many of a connection's first segments with data are acknowledged at once: TCP_MAX_QUICKACKS. */
  readonly quickAcks: number;
  /**
   * How long the ACK of a FIN may wait while no data have ever come: RFC 9293 section 3.10.7.4 sends it at once; Linux
   * delays it as any other, by a timeout that is still 0 and becomes one tick (tcp_fin, tcp_send_delayed_ack).
   */
  readonly finAckDelayUs: number | null;
  /**
   * So many challenge ACKs in so much time, and ACKs of unacceptable segments without data, with which two ends could keep
   * each other busy for ever: RFC 5961 section 7; for one socket net.ipv4.tcp_invalid_ratelimit (tcp_oow_rate_limited).
   */
  readonly challengeAcks: { readonly count: number; readonly perUs: number };
  /**
   * Where the receive window begins and ends. RFC 9293 section 3.4: from RCV.NXT, and the right edge is outside. Linux
   * (tcp_sequence): from the last acknowledgement sent, and the right edge is inside; what reaches beyond it is taken whole
   * if all before it has been read.
   */
  readonly window: "rfc9293" | "linux";
  /** What has none of ACK, RST and SYN is discarded before it is looked at (tcp_rcv_established). */
  readonly ignoresFlagless: boolean;
  /** By how much a timestamp may be older than TS.Recent: RFC 7323 section 5.3; TCP_PAWS_WINDOW. */
  readonly pawsSlack: number;
  /**
   * An ACK without data that is old by its timestamp was overtaken on the way, and says nothing: RFC 7323 section 5.3 answers
   * it all the same, Linux does not (tcp_disordered_ack_check).
   */
  readonly excusesOvertakenAcks: boolean;
  /** A segment without a timestamp where they were agreed on is dropped: RFC 7323 section 3.2 (SHOULD); Linux takes it. */
  readonly wantsTimestamps: boolean;
  /**
   * How old an acknowledgement may be before it draws a challenge ACK: the largest window (RFC 5961 section 5.2), and in
   * Linux no more than has ever been acknowledged (tcp_ack).
   */
  readonly oldAcks: "window" | "window-and-acknowledged";
  /**
   * What probes a zero window: one byte of data (RFC 9293 section 3.8.6.1), or a segment with none, and a number that has
   * been acknowledged, which draws an ACK as well (tcp_xmit_probe_skb).
   */
  readonly zeroWindowProbe: "one-byte" | "old-number";
  /** While less than a full segment waits: any unacknowledged data hold it back (RFC 896), or only a small segment's do (Minshall). */
  readonly nagle: "any" | "small";
  /** A SYN with a FIN is dropped by a listener (tcp_rcv_state_process); RFC 9293 section 3.10.7.2 takes its SYN. */
  readonly dropsSynFin: boolean;
  /**
   * Data that reach beyond the peer's FIN, in a segment that begins before it: RFC 9293 section 3.10.7.4 ignores what comes
   * after a FIN; Linux answers by a RST, and the connection is over (tcp_rcv_state_process, TCPAbortOnData).
   */
  readonly resetsDataPastFin: boolean;
  /** A RST one below RCV.NXT is taken after the peer's FIN (tcp_reset_check: some systems send it so). */
  readonly resetBelowFin: boolean;
  /** What a RST is to the user in CLOSE-WAIT: RFC 9293's "connection reset", or EPIPE (tcp_reset). */
  readonly resetInCloseWait: "reset" | "broken-pipe";
  /** Whether the user hears of a RST in CLOSING and LAST-ACK: RFC 9293 section 3.10.7.4 no, tcp_reset yes. */
  readonly resetWhileClosing: boolean;
  /** What has been received and not read when a RST comes: flushed (RFC 9293 section 3.10.7.4), or still to be read. */
  readonly keepsDataAfterReset: boolean;
  /** Whether the RST of an abort carries an ACK: RFC 9293 section 3.10.5 no, tcp_send_active_reset yes. */
  readonly resetAcknowledges: boolean;
  /** How a segment in TIME-WAIT is judged: as in any other state, or by tcp_timewait_state_process. */
  readonly timeWait: "rfc9293" | "linux";
  /** How a connection waits for the third segment: as RFC 9293 has it, or as a request (tcp_check_req). */
  readonly synReceived: "rfc9293" | "linux";
}

const S = 1_000_000;
const MS = 1000;

export const RFC9293: Profile = {
  name: "rfc9293",
  timeWaitUs: 240 * S,
  orphanFinWait2Us: null,
  rtoMinUs: 1 * S,
  rtoMinOf: "timeout",
  rtoMaxUs: 60 * S,
  synRetries: 7,
  synAgainUs: null,
  synLinearRetries: 0,
  synAckRetries: 7,
  dataRetries: 6,
  orphanRetries: 6,
  delayedAckUs: 200 * MS,
  quickAcks: 0,
  finAckDelayUs: null,
  challengeAcks: { count: 10, perUs: 5 * S },
  window: "rfc9293",
  ignoresFlagless: false,
  pawsSlack: 0,
  excusesOvertakenAcks: false,
  wantsTimestamps: true,
  oldAcks: "window",
  zeroWindowProbe: "one-byte",
  nagle: "any",
  dropsSynFin: false,
  resetsDataPastFin: false,
  resetBelowFin: false,
  resetInCloseWait: "reset",
  resetWhileClosing: false,
  keepsDataAfterReset: false,
  resetAcknowledges: false,
  timeWait: "rfc9293",
  synReceived: "rfc9293",
};

/** Linux with its default settings; seen on 6.18. */
export const LINUX: Profile = {
  name: "linux",
  timeWaitUs: 60 * S,
  orphanFinWait2Us: 60 * S,
  rtoMinUs: 200 * MS,
  rtoMinOf: "variance",
  rtoMaxUs: 120 * S,
  synRetries: 6,
  synAgainUs: 8 * MS,
  synLinearRetries: 4,
  synAckRetries: 5,
  dataRetries: 15,
  orphanRetries: 8,
  delayedAckUs: 40 * MS,
  quickAcks: 16,
  finAckDelayUs: 4 * MS,
  challengeAcks: { count: 1, perUs: 500 * MS },
  window: "linux",
  ignoresFlagless: true,
  pawsSlack: 1,
  excusesOvertakenAcks: true,
  wantsTimestamps: false,
  oldAcks: "window-and-acknowledged",
  zeroWindowProbe: "old-number",
  nagle: "small",
  dropsSynFin: true,
  resetsDataPastFin: true,
  resetBelowFin: true,
  resetInCloseWait: "broken-pipe",
  resetWhileClosing: true,
  keepsDataAfterReset: true,
  resetAcknowledges: true,
  timeWait: "linux",
  synReceived: "linux",
};
