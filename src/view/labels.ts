/**
 * The words for calls, segments, states and timers, which every drawing of a trace shares. Others' text in them (data,
 * addresses, names) is escaped for a terminal: no label holds a control character. HTML still has to escape its own.
 */
import type { Call, Data, Endpoint } from "../call/call.ts";
import { dataLength } from "../call/call.ts";
import { formatEndpoint } from "../codec/address.ts";
import type { RelativeNumbers } from "../codec/numbering.ts";
import type {
  CallResult,
  DataSummary,
  NoteEvent,
  SegmentRecord,
  SocketTimer,
  StateEvent,
  TimerEvent,
} from "../trace/trace.ts";
import { escapeControls, escapeForTerminal } from "./escape.ts";

/** `8,388,608`. */
export function countLabel(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 byte`, `8,388,608 bytes`. */
export function bytesLabel(count: number): string {
  return `${countLabel(count)} ${count === 1 ? "byte" : "bytes"}`;
}

/** A time since the run began, in at most 8 characters for the first day: `0.0 ms`, `12.3 ms`, `1.204 s`, `120.00 s`. */
export function timeLabel(tUs: number): string {
  if (tUs < 999_950) return `${(tUs / 1000).toFixed(1)} ms`;
  const s = tUs / 1e6;
  return `${s.toFixed(s < 99.9995 ? 3 : s < 999.995 ? 2 : 1)} s`;
}

/** How long something takes: `40 ms`, `1.2 s`, `60.0 s`. */
export function durationLabel(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** `10.9.0.1:40000`, `[::1]:80`. */
export function endpointLabel({ address, port }: Endpoint): string {
  return formatEndpoint(escapeForTerminal(address), port);
}

/** Data longer than this is shown by its beginning. */
const DATA_SHOWN = 32;

/** Escaped text in quotes, padding with NUL told by its length: `"I am client" + 9 NUL`. */
function quoted(escaped: string, more = ""): string {
  const [padding = ""] = /(\\x00){2,}$/.exec(escaped) ?? [];
  const text = escaped.slice(0, escaped.length - padding.length);
  return padding === "" ? `"${text}${more}"` : `"${text}" + ${padding.length / 4} NUL${more}`;
}

function writtenLabel(data: Data): string {
  if (typeof data !== "string" || data.length > DATA_SHOWN) return bytesLabel(dataLength(data));
  return quoted(escapeForTerminal(data));
}

/** `20 "I am client"`; an ellipsis where there is more than `head` says. */
function readLabel({ length, head }: DataSummary): string {
  if (length === 0) return "0 (end)";
  const shownLength = head.replace(/\\x[0-9a-f]{2}/gi, ".").length;
  // The summary is escaped already, as far as its writer can be trusted.
  return `${countLabel(length)} ${quoted(escapeControls(head), shownLength < length ? "…" : "")}`;
}

/** A call and what tells it from others of its kind: `bind 0.0.0.0:8000`, `write "I am client"`, `close 4`. */
export function callLabel(call: Call): string {
  switch (call.name) {
    case "socket":
      return call.family === "IPv4" ? "socket" : "socket IPv6";
    case "setsockopt":
      return `setsockopt ${escapeForTerminal(call.option)} ${call.value}`;
    case "getsockopt":
      return `getsockopt ${escapeForTerminal(call.option)}`;
    case "bind":
    case "connect":
      return `${call.name} ${endpointLabel(call)}`;
    case "listen":
      return `listen ${call.backlog}`;
    case "accept":
    case "read":
    case "getsockname":
    case "poll":
      return call.name;
    case "write":
      return `write ${writtenLabel(call.data)}${call.more ? " more" : ""}`;
    case "shutdown":
      return `shutdown ${call.how}`;
    case "close":
      return `close ${call.fd}`;
    case "ioctl":
      return `ioctl ${call.request}`;
    case "fork":
      return `fork ${escapeForTerminal(call.child)}`;
    case "setuid":
      return `setuid ${call.uid}`;
    case "exit":
      return call.by === "exit" ? `exit ${call.status}` : `return ${call.status}`;
  }
}

/** The calls whose value is an amount; others give a descriptor, a process, or nothing. */
const COUNTED: ReadonlySet<Call["name"]> = new Set<Call["name"]>(["read", "write", "ioctl", "getsockopt"]);

/** What a call gave: `0`, `20 "I am client"`, `4 10.9.0.1:40000`, `IN HUP`, `EADDRINUSE (98)`. */
export function resultLabel(call: Call, result: CallResult): string {
  if (!result.ok) return `${escapeForTerminal(result.code)} (${result.errno})`;
  const { value, data, endpoint, events } = result;
  if (data) return readLabel(data);
  const where = endpoint && endpointLabel(endpoint);
  if (where) return call.name === "accept" ? `${value} ${where}` : where;
  if (events) return escapeForTerminal(events.join(" ")) || "nothing";
  return COUNTED.has(call.name) ? countLabel(value) : String(value);
}

/** A segment's flags, `FIN,ACK`; `none` without any. */
export function flagsLabel({ flags }: Pick<SegmentRecord, "flags">): string {
  return escapeForTerminal(flags.join(",")) || "none";
}

/**
 * A segment in full and, for less room, in short; the longest first and never empty. `PSH,ACK 1:21 (20 bytes)`,
 * `FIN,ACK seq 21 ack 42`, `ACK 42`, `RST seq 42`. A pure ACK's sequence number is not worth its room.
 */
export function segmentLabels(record: SegmentRecord, { seq, ack }: RelativeNumbers): string[] {
  const flags = flagsLabel(record);
  const { payloadLength, window } = record;
  const has = (flag: string) => record.flags.includes(flag);
  const closed = window === 0 && !has("RST") ? " win 0" : "";
  if (payloadLength > 0) {
    const range = `${flags} ${seq}:${seq + payloadLength}`;
    return [`${range} (${bytesLabel(payloadLength)})${closed}`, `${range} (${payloadLength})${closed}`, range, flags];
  }
  if (has("SYN")) return [`${flags}${closed}`, flags];
  const ackText = ack === undefined ? "" : ` ack ${ack}`;
  if (has("FIN") || has("RST")) return [`${flags} seq ${seq}${ackText}${closed}`, `${flags} seq ${seq}`, flags];
  return ack === undefined ? [`${flags} seq ${seq}${closed}`, flags] : [`${flags} ${ack}${closed}`, flags];
}

/** A segment in full, see {@link segmentLabels}. */
export function segmentLabel(record: SegmentRecord, relative: RelativeNumbers): string {
  return segmentLabels(record, relative)[0]!;
}

/** A state, and how long it lasts if a timer says so: `TIME-WAIT (60.0 s)`. */
export function stateLabel({ to, timer }: Pick<StateEvent, "to"> & { timer?: SocketTimer }): string {
  return timer?.kind === "timewait" ? `${to} (${durationLabel(timer.leftMs)})` : to;
}

/** A change of state: `FIN-WAIT-2 → TIME-WAIT (60.0 s)`. */
export function changeLabel(event: StateEvent): string {
  return `${event.from} → ${stateLabel(event)}`;
}

/** `retransmit timer fired`, `TIME-WAIT timer restarted (60.0 s)`. */
export function timerLabel({ timer, what, leftMs }: Pick<TimerEvent, "timer" | "what" | "leftMs">): string {
  const name = timer === "timewait" ? "TIME-WAIT" : timer;
  return what === "expired" ? `${name} timer fired` : `${name} timer ${what} (${durationLabel(leftMs)})`;
}

/** A note's words: `prints “hello”`, `not met: the port is free`, `is sent SIGKILL`. */
export function noteLabel({ about, text, met }: Pick<NoteEvent, "about" | "text" | "met">): string {
  const words = escapeForTerminal(text);
  if (about === "output") return `prints “${words}”`;
  return about === "expectation" ? `${met ? "met" : "not met"}: ${words}` : words;
}
