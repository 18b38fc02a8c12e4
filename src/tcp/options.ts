/** The options of segments: what a SYN offers and agrees on, and timestamps (RFC 9293 section 3.7.1, RFC 7323). */
import { ACK, SYN, type TcpOption, type TcpSegment } from "../codec/tcp.ts";
import type { Connection } from "./connection.ts";
import { MAX_WINDOW_SCALE, MIN_MSS } from "./settings.ts";

type Kind = TcpOption["kind"];

export function optionOf<K extends Kind>(segment: TcpSegment, kind: K): Extract<TcpOption, { kind: K }> | undefined {
  return segment.options.find((option): option is Extract<TcpOption, { kind: K }> => option.kind === kind);
}

/** The clock of timestamps: one tick a millisecond. */
export function timestampNow(c: Connection, nowUs: number): number {
  return (Math.floor(nowUs / 1000) + c.settings.timestampOffset) >>> 0;
}

/** What a timestamp costs each segment: 10 bytes and two of padding (RFC 7323 appendix A). */
const TIMESTAMP_LENGTH = 12;
const NOP: TcpOption = { kind: "nop" };

/** The options of an outgoing segment. A SYN,ACK agrees only to what the peer's SYN has offered. */
export function optionsFor(c: Connection, flags: number, nowUs: number): TcpOption[] {
  const isSyn = (flags & SYN) !== 0;
  const answers = isSyn && (flags & ACK) !== 0;
  const options: TcpOption[] = [];
  if (isSyn) options.push({ kind: "mss", value: c.settings.mss });
  if (c.tsRecent !== null || (isSyn && !answers && c.settings.timestamps)) {
    const echo = flags & ACK ? (c.tsRecent ?? 0) : 0;
    options.push(NOP, NOP, { kind: "timestamps", value: timestampNow(c, nowUs), echo });
  }
  const { windowScale } = c.settings;
  if (isSyn && windowScale !== null && (!answers || c.rcvShift >= 0)) {
    options.push(NOP, { kind: "windowScale", shift: windowScale });
  }
  return options;
}

/** Takes over what the peer's SYN says, as far as it was, or will be, offered by us too. */
export function agree(c: Connection, syn: TcpSegment, nowUs: number): void {
  const { settings } = c;
  const scale = optionOf(syn, "windowScale");
  const scaled = scale !== undefined && settings.windowScale !== null;
  c.sndShift = scaled ? Math.min(scale.shift, MAX_WINDOW_SCALE) : 0;
  c.rcvShift = scaled ? settings.windowScale! : NOT_SCALED;
  const timestamps = optionOf(syn, "timestamps");
  const stamped = timestamps !== undefined && settings.timestamps;
  c.tsRecent = stamped ? timestamps.value : null;
  c.tsRecentAtUs = stamped ? nowUs : 0;
  const said = Math.max(MIN_MSS, optionOf(syn, "mss")?.value ?? settings.mssUnsaid);
  c.sndMss = Math.min(said, settings.mss) - (stamped ? TIMESTAMP_LENGTH : 0);
  c.cwnd = settings.initialWindow * c.sndMss;
}

/** The shift of a window that both ends have not agreed to scale: by nothing, and the SYN,ACK does not offer it. */
export const NOT_SCALED = -1;

/** RFC 7323 section 5.5: what is older than 24 days says nothing any more. */
export const TS_RECENT_LIFE_US = 24 * 86_400 * 1_000_000;

/** True for a segment whose timestamp is older than what has been seen: it is a duplicate from before (RFC 7323 section 5). */
export function isOldByTimestamp(c: Connection, segment: TcpSegment, nowUs: number, slack: number): boolean {
  const timestamps = optionOf(segment, "timestamps");
  if (c.tsRecent === null || !timestamps) return false;
  if (nowUs - c.tsRecentAtUs > TS_RECENT_LIFE_US) return false;
  return ((c.tsRecent - timestamps.value) | 0) > slack;
}

/** Whether a timestamp is newer than the last of the connection; undefined if either has none. */
export function timestampAhead(c: Connection, segment: TcpSegment): number | undefined {
  const timestamps = optionOf(segment, "timestamps");
  return c.tsRecent === null || !timestamps ? undefined : (timestamps.value - c.tsRecent) | 0;
}

/** Remembers the timestamp to echo (RFC 7323 section 4.3). */
export function noteTimestamp(c: Connection, segment: TcpSegment, nowUs: number): void {
  const ahead = timestampAhead(c, segment);
  if (ahead === undefined || ((segment.seq - c.lastAckSent) | 0) > 0) return;
  if (ahead >= 0 || nowUs - c.tsRecentAtUs > TS_RECENT_LIFE_US) {
    c.tsRecent = optionOf(segment, "timestamps")!.value;
    c.tsRecentAtUs = nowUs;
  }
}
