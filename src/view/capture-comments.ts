/** What a trace knows of its packets, sockets and processes, as comments on packets. */
import { formatEndpoint } from "../codec/address.ts";
import type { Call, Data } from "../call/call.ts";
import type { CallEvent, CallResult, ReturnEvent, SegmentEvent, Trace, TraceEvent } from "../trace/trace.ts";
import { nearest, type Frame } from "./capture-frames.ts";
import { escapeForTerminal } from "./escape.ts";

/** A line of Wireshark's: what is longer is cut. */
const LONGEST = 500;

const ms = (us: number) => `${Math.round(us) / 1000} ms`;

/** A comment, and the time of what it tells if it is not the packet's. Names and output are other people's text. */
function comment(text: string, tUs?: number): string {
  const escaped = escapeForTerminal(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
  return tUs === undefined ? escaped : `${escaped} at ${ms(tUs)}`;
}

function dataText(data: Data): string {
  return typeof data === "string" ? `"${data}"` : `"${data.repeat}" repeated to ${data.length} bytes`;
}

function callText(call: Call): string {
  const { name, ...rest } = call;
  const values = Object.entries(rest).map(([key, value]) => (key === "data" ? dataText(value as Data) : String(value)));
  return `${name}(${values.join(", ")})`;
}

function resultText(result: CallResult): string {
  if (!result.ok) return `-1 ${result.code}`;
  const { value, endpoint, events } = result;
  const more = [...(endpoint ? [formatEndpoint(endpoint.address, endpoint.port)] : []), ...(events ?? [])];
  return [value, ...more].join(" ");
}

type HostEvent = Exclude<TraceEvent, SegmentEvent>;

const copyOf = ({ segment, copy = 1 }: SegmentEvent) => `${segment}/${copy}`;

/** What the wire did; undefined where nothing, or where the event of `held` says it. */
function wireText(event: SegmentEvent, releases: readonly SegmentEvent[]): string | undefined {
  const by = `by the wire${event.rule === undefined ? "" : ` (rule: ${event.rule})`}`;
  switch (event.fate) {
    case "held": {
      const release = releases.find((other) => copyOf(other) === copyOf(event) && other.n > event.n);
      return release ? `held ${by} until ${ms(release.tUs)}` : `held ${by} and never released`;
    }
    case "delayed":
      return event.byUs === undefined ? `delayed ${by}` : `delayed ${by} for ${ms(event.byUs)}`;
    case "expired":
      return "expired on the wire: no hops left";
    case "dropped":
    case "duplicated":
    case "modified":
      return `${event.fate} ${by}`;
    case "sent":
    case "released":
    case "delivered":
      return undefined;
  }
}

/** Says on the packet as it was sent what the wire did to it, and on what came of it that it is not what was sent. */
function commentOnSegments(events: readonly TraceEvent[], frames: readonly Frame[]): void {
  const segments = events.filter((event) => event.kind === "segment");
  const releases = segments.filter(({ fate }) => fate === "released");
  const sent = new Map(
    frames.filter(({ event }) => event.fate === "sent").map((frame) => [frame.event.segment, frame]),
  );
  for (const event of segments) {
    const text = wireText(event, releases);
    const which = event.copy === undefined || event.fate === "duplicated" ? "" : `copy ${event.copy} `;
    if (text !== undefined) sent.get(event.segment)?.comments.push(comment(which + text));
  }
  for (const { event, record, comments } of frames) {
    if (event.fate !== "delivered") continue;
    if (event.copy !== undefined) comments.push(`copy ${event.copy}, made by the wire`);
    if (record !== sent.get(event.segment)?.record) comments.push("modified by the wire");
  }
}

/** Where a host's events are told. */
class Places {
  readonly #frames: readonly Frame[];
  readonly #ofHost = new Map<string, Frame[]>();

  constructor(frames: readonly Frame[]) {
    this.#frames = frames;
    for (const frame of frames) {
      const ofHost = this.#ofHost.get(frame.host);
      if (ofHost) ofHost.push(frame);
      else this.#ofHost.set(frame.host, [frame]);
    }
  }

  /** The packet of the event's host that is nearest to it; of any host, where the event has none. */
  of(event: HostEvent): Frame | undefined {
    return nearest(event.host === undefined ? this.#frames : (this.#ofHost.get(event.host) ?? []), event);
  }
}

/** What happened on a host besides packets and calls. */
function eventText(event: Exclude<HostEvent, CallEvent | ReturnEvent>): string {
  switch (event.kind) {
    case "state":
      return `${event.socket}: ${event.from} -> ${event.to}`;
    case "timer":
      return `${event.socket}: ${event.timer} timer ${event.what}, ${event.leftMs} ms left`;
    case "note": {
      const met = event.met === undefined ? "" : event.met ? " met" : " not met";
      return `${event.process ?? event.about}${met}: ${event.text}`;
    }
  }
}

/**
 * Says on the nearest packet of its host what happened at each event. A call is told with its result where it returned,
 * and, if that is another packet, also where it was made. Returns what there was no packet for.
 */
function commentOnEvents(events: readonly TraceEvent[], frames: readonly Frame[]): string[] {
  const places = new Places(frames);
  const calls = new Map(events.flatMap((event) => (event.kind === "call" ? [[event.n, event]] : [])));
  const returns = new Map(events.flatMap((event) => (event.kind === "return" ? [[event.cause, event]] : [])));
  const textOf = (event: HostEvent): string | undefined => {
    if (event.kind === "call") {
      const end = returns.get(event.n);
      const isToldThere = end !== undefined && places.of(end) === places.of(event);
      return isToldThere ? undefined : `${event.process}: ${callText(event.call)}`;
    }
    if (event.kind !== "return") return eventText(event);
    const called = calls.get(event.cause);
    return `${event.process}: ${called ? callText(called.call) : "a call"} = ${resultText(event.result)}`;
  };
  const elsewhere: string[] = [];
  for (const event of events) {
    if (event.kind === "segment") continue;
    const text = textOf(event);
    const comments = places.of(event)?.comments ?? elsewhere;
    if (text !== undefined) comments.push(comment(text, event.tUs));
  }
  return elsewhere;
}

function outcomeText({ outcome }: Trace): string {
  if (outcome.status !== "done") return `${outcome.status}: ${outcome.reason}`;
  return `does the claim hold? ${outcome.verdict.holds}: ${outcome.verdict.because}`;
}

/** Puts comments on frames. Returns those on the whole: what it is, and what there was no packet for. */
export function commentOnFrames(trace: Trace, frames: readonly Frame[]): string[] {
  commentOnSegments(trace.events, frames);
  const elsewhere = commentOnEvents(trace.events, frames);
  return [comment(`${trace.experiment.id}: ${trace.experiment.title}`), comment(outcomeText(trace)), ...elsewhere];
}
