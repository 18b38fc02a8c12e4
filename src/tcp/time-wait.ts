/** TIME-WAIT: what it answers, and for whom it makes room (RFC 9293 section 3.10.7.4, RFC 1337, RFC 6191). */
import { seqAdd, seqLt, type Seq } from "../codec/seq.ts";
import { ACK, FIN, RST, SYN, sequenceLength, type TcpSegment } from "../codec/tcp.ts";
import type { Connection } from "./connection.ts";
import { isOldByTimestamp, optionOf, timestampAhead } from "./options.ts";

/** How far a new incarnation's numbers begin above the last of the old one (RFC 9293 section 3.6.1; tcp_timewait_state_process). */
const ISS_AHEAD = 65_535 + 2;

/**
 * Whether a SYN may end this TIME-WAIT for a new connection between the same ends. Then the answer is the ISN that the new
 * one is to have; undefined: the SYN is to be handled as any other segment. To be asked where somebody listens.
 */
export function reopensWith(c: Connection, nowUs: number, segment: TcpSegment): Seq | undefined {
  if (c.state !== "TIME-WAIT" || (segment.flags & (SYN | ACK | RST)) !== SYN) return undefined;
  const fits = c.settings.profile.timeWait === "linux" ? fitsLinux(c, nowUs, segment) : fitsRfc6191(c, segment);
  return fits ? seqAdd(c.sndNxt, ISS_AHEAD) : undefined;
}

function fitsLinux(c: Connection, nowUs: number, segment: TcpSegment): boolean {
  if (isOldByTimestamp(c, segment, nowUs, 0)) return false;
  return seqLt(c.rcvNxt, segment.seq) || (timestampAhead(c, segment) ?? 0) > 0;
}

/** RFC 6191 section 2, in its order. */
function fitsRfc6191(c: Connection, segment: TcpSegment): boolean {
  const isHigher = seqLt(c.rcvNxt, segment.seq);
  const stamped = c.settings.timestamps && optionOf(segment, "timestamps") !== undefined;
  if (c.tsRecent === null) return stamped || isHigher;
  if (!stamped) return isHigher;
  const ahead = timestampAhead(c, segment)!;
  return ahead > 0 || (ahead === 0 && isHigher);
}

/**
 * Whether our own next connection may take the place of this one before its time: with timestamps the peer can tell the
 * two apart, once the clock has ticked (RFC 7323 appendix B.2; net.ipv4.tcp_tw_reuse). Then the answer is its ISN.
 */
export function yieldsTo(c: Connection, nowUs: number, afterUs = 1_000_000): Seq | undefined {
  if (c.state !== "TIME-WAIT" || c.tsRecent === null || nowUs - c.tsRecentAtUs <= afterUs) return undefined;
  return seqAdd(c.sndNxt, ISS_AHEAD);
}

/** The peer has not heard our last ACK, or not all: TIME-WAIT begins again. */
export function restartsTimeWait(c: Connection, segment: TcpSegment): boolean {
  return (segment.flags & FIN) !== 0 && seqAdd(segment.seq, sequenceLength(segment)) === c.rcvNxt;
}
