/** Challenge ACKs (RFC 5961): they ask a peer who may be somebody else to show what it knows, and not too often. */
import { SYN, type TcpSegment } from "../codec/tcp.ts";
import type { Connection } from "./connection.ts";

/** Whether one more may be sent now; if so it counts (RFC 5961 section 7). */
function mayChallenge(c: Connection, nowUs: number): boolean {
  if (!c.settings.rfc5961) return true;
  const { count, perUs } = c.settings.profile.challengeAcks;
  if (c.challengesSinceUs === null || nowUs - c.challengesSinceUs >= perUs) {
    c.challengesSinceUs = nowUs;
    c.challengesLeft = count;
  }
  if (c.challengesLeft === 0) return false;
  c.challengesLeft--;
  return true;
}

/** <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>, if one more may be sent. */
export function challenge(c: Connection, nowUs: number): void {
  if (mayChallenge(c, nowUs)) c.ackNow = true;
}

/**
 * Whether an unacceptable segment may be answered. One with data always: it is no answer to ours. Others not too often: two
 * ends that take each other's answers for such would never stop.
 */
export function mayAnswer(c: Connection, nowUs: number, segment: TcpSegment): boolean {
  return (segment.payload.length > 0 && !(segment.flags & SYN)) || mayChallenge(c, nowUs);
}
