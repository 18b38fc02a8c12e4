/**
 * The trace: everything that happened in one run of an experiment, in one order. All that people look at is drawn from
 * it, and nothing else. docs/trace.md describes schema version 1 field by field.
 */
import type { Call, Endpoint, PollEvent } from "../call/call.ts";
import type { Errno } from "../call/errno.ts";
import type { TimerKind } from "../codec/inet-diag.ts";
import type { TcpState } from "../codec/state.ts";

export const TRACE_SCHEMA = 1;

interface EventBase {
  /** 1, 2, 3, … in the order in which things happened. */
  n: number;
  /** Microseconds since the run began. */
  tUs: number;
  /** The number of the event that brought this one about, where one did; otherwise it was time, or the story. */
  cause?: number;
}

export interface CallEvent extends EventBase {
  kind: "call";
  host: string;
  process: string;
  /** The socket that the call is about, once the kernel has made it one. */
  socket?: string;
  call: Call;
}

/** What a call returned. `read` gives its bytes in short. */
export type CallResult =
  | {
      ok: true;
      value: number;
      data?: DataSummary;
      endpoint?: Endpoint;
      events?: readonly PollEvent[];
    }
  | { ok: false; errno: number; code: Errno };

/** Bytes in short: how many, and how they begin (as text, what is not ASCII escaped as \xNN). */
export interface DataSummary {
  length: number;
  head: string;
}

export interface ReturnEvent extends EventBase {
  kind: "return";
  host: string;
  process: string;
  socket?: string;
  /** The call's event. */
  cause: number;
  result: CallResult;
}

/**
 * What became of a segment: `sent` by its host; then one of `dropped` and `expired` (its hops ran out) by the wire, or
 * `held` and later `released`, `delayed`, `duplicated`, `modified`; and `delivered` to the other host, once a copy.
 */
export type SegmentFate =
  | "sent"
  | "delivered"
  | "dropped"
  | "held"
  | "released"
  | "delayed"
  | "duplicated"
  | "modified"
  | "expired";

/** A segment as it was sent. */
export interface SegmentRecord {
  from: string;
  to: string;
  source: Endpoint;
  destination: Endpoint;
  /** Names as in `TCP_FLAGS`, lowest bit first. */
  flags: readonly string[];
  /** Absolute, as on the wire; `relativeNumbers` of relative.ts makes them readable. */
  seq: number;
  ack: number;
  /** As on the wire, not scaled. */
  window: number;
  payloadLength: number;
  /** The packet from its IP header on, in hexadecimal: the headers in full, the payload up to the snap length. */
  bytes: string;
  /** The packet's length on the wire. */
  length: number;
}

export interface SegmentEvent extends EventBase {
  kind: "segment";
  /** One number from `sent` to the last copy's `delivered`. */
  segment: number;
  fate: SegmentFate;
  /** The host that sent it (`sent`), or that gets it (`delivered`); absent where the wire acts. */
  host?: string;
  /** The wire's rule that acted. */
  rule?: string;
  /** 2, 3, …: which copy, of one that was duplicated. */
  copy?: number;
  /** `delayed`: by how much. */
  byUs?: number;
  /** The segment itself: with `sent`, and with `modified` as it then was. */
  packet?: SegmentRecord;
}

/** The states of RFC 9293, and `BOUND`: it has a port, and neither listens nor is connected. */
export type EndState = TcpState;

export interface SocketTimer {
  kind: TimerKind;
  leftMs: number;
}

export interface StateEvent extends EventBase {
  kind: "state";
  host: string;
  socket: string;
  /** `CLOSED` stands for "there is no such socket": before it is first seen, and when it is gone. */
  from: EndState;
  to: EndState;
  timer?: SocketTimer;
}

/** A timer that says how long a state lasts, or that made the host act. */
export interface TimerEvent extends EventBase {
  kind: "timer";
  host: string;
  socket: string;
  timer: TimerKind;
  /** `restarted`: it ran already, and has more time left than before. `expired`: its time had come. */
  what: "started" | "restarted" | "expired";
  leftMs: number;
}

/** Words: of the story, of a process (it started, it ended), of a program (a line it wrote), and of an expectation. */
export interface NoteEvent extends EventBase {
  kind: "note";
  about: "story" | "process" | "output" | "setting" | "expectation";
  host?: string;
  process?: string;
  text: string;
  /** Of an expectation: whether it was met. */
  met?: boolean;
}

export type TraceEvent = CallEvent | ReturnEvent | SegmentEvent | StateEvent | TimerEvent | NoteEvent;

export interface TraceHost {
  name: string;
  /** Its addresses on the wire, not those of loopback. */
  addresses: string[];
}

export interface TraceSocket {
  /** `server/1`: the first socket of host `server`. The same in every world. */
  id: string;
  host: string;
  /** As last seen. */
  local: Endpoint;
  peer: Endpoint;
}

/** How the article's claim fared. */
export interface Verdict {
  /** `partly`: true with a condition that the article does not name. */
  holds: "yes" | "no" | "partly";
  /** What was seen, in a sentence or two. */
  because: string;
}

/** Whether the run was what it should have been, and why not. */
export type Outcome =
  | { status: "done"; verdict: Verdict }
  /** An expectation was not met: the run proves nothing. */
  | { status: "failed"; reason: string }
  /** This machine lacks something. */
  | { status: "not run"; reason: string };

export interface Trace {
  schema: typeof TRACE_SCHEMA;
  experiment: { id: string; title: string; claims: readonly string[]; article: string };
  world: "kernel" | "model";
  /** For example `Linux 6.18.0`. */
  system: string;
  /** When the run began, Unix time in milliseconds; absent where time is not real. */
  startedAtMs?: number;
  hosts: TraceHost[];
  sockets: TraceSocket[];
  events: TraceEvent[];
  outcome: Outcome;
}
