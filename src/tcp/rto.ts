/** Round-trip times and the retransmission timeout: RFC 6298, RFC 7323 section 4. Microseconds. */
import { seqLe } from "../codec/seq.ts";
import type { TcpSegment } from "../codec/tcp.ts";
import type { Connection } from "./connection.ts";
import { optionOf, timestampNow } from "./options.ts";

/** The clock granularity G of RFC 6298. */
const GRANULARITY_US = 1000;

function takeSample(c: Connection, rttUs: number): void {
  if (c.srttUs === null) {
    c.srttUs = rttUs;
    c.rttvarUs = Math.floor(rttUs / 2);
  } else {
    c.rttvarUs = Math.floor((3 * c.rttvarUs + Math.abs(c.srttUs - rttUs)) / 4);
    c.srttUs = Math.floor((7 * c.srttUs + rttUs) / 8);
  }
  settleRto(c);
}

/** The timeout without any backing off. */
export function settleRto(c: Connection): void {
  const { rtoMinUs, rtoMaxUs, rtoMinOf } = c.settings.profile;
  if (c.srttUs === null) return;
  const variance = Math.max(GRANULARITY_US, 4 * c.rttvarUs);
  const rto =
    rtoMinOf === "variance" ? c.srttUs + Math.max(variance, rtoMinUs) : Math.max(rtoMinUs, c.srttUs + variance);
  c.rtoUs = Math.min(rtoMaxUs, rto);
}

/** RFC 6298 rule 5.5; `times` is how often it has been sent again. */
export function backOff(c: Connection): void {
  const { synLinearRetries, rtoMaxUs } = c.settings.profile;
  if (c.state === "SYN-SENT" && c.retransmits <= synLinearRetries) return;
  c.rtoUs = Math.min(rtoMaxUs, 2 * c.rtoUs);
}

/**
 * Learns from an acknowledgement of new data: by its timestamp, else by the one segment that is timed, unless that has
 * been sent again (Karn).
 */
export function sampleAck(c: Connection, nowUs: number, segment: TcpSegment): void {
  const echo = c.tsRecent === null ? undefined : optionOf(segment, "timestamps")?.echo;
  if (echo) {
    const ticks = (timestampNow(c, nowUs) - echo) | 0;
    if (ticks >= 0) takeSample(c, ticks * GRANULARITY_US);
    return;
  }
  if (c.timedSeq !== null && seqLe(c.timedSeq, segment.ack)) {
    takeSample(c, nowUs - c.timedAtUs);
    c.timedSeq = null;
  }
}
