/** What a trace knows of its packets, sockets and processes, as comments on packets. */
import type { CallEvent, ReturnEvent, SegmentEvent, Trace, TraceEvent } from "../trace/trace.ts";
import { nearest, type Frame, type Frames, type Sight } from "./capture-frames.ts";
import { escapeForTerminal } from "./escape.ts";
import { copyLabel, fateWords, ruleLabel } from "./fates.ts";
import { callLabel, changeLabel, noteLabel, resultLabel, timeLabel, timerLabel } from "./labels.ts";
import { verdictSentence } from "./verdict.ts";

/** A line of Wireshark's: what is longer is cut. */
const LONGEST = 500;

/** A comment, of text that is escaped already. */
function comment(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

type HostEvent = Exclude<TraceEvent, SegmentEvent>;

const copyOf = ({ segment, copy = 1 }: SegmentEvent) => `${segment}/${copy}`;

/** What the wire did; undefined where nothing, or where the event of `held` says it. */
function wireText(event: SegmentEvent, releases: readonly SegmentEvent[]): string | undefined {
  const { fate } = event;
  if (fate === "sent" || fate === "delivered" || fate === "released") return undefined;
  const text = `${fateWords(event).full}${copyLabel(event)}${ruleLabel(event)}`;
  if (fate !== "held") return text;
  const release = releases.find((other) => copyOf(other) === copyOf(event) && other.n > event.n);
  return release ? `${text} until ${timeLabel(release.tUs)}` : `${text} and never released`;
}

/** Says on the packet as it was sent what the wire did to it. What came of it says on its own that it is not that. */
function commentOnSegments(events: readonly TraceEvent[], frames: readonly Frame[]): void {
  const segments = events.filter((event) => event.kind === "segment");
  const releases = segments.filter(({ fate }) => fate === "released");
  const sent = new Map(
    frames.filter(({ direction }) => direction === "outbound").map((frame) => [frame.event.segment, frame]),
  );
  for (const event of segments) {
    const text = wireText(event, releases);
    if (text !== undefined) sent.get(event.segment)?.comments.push(comment(text));
  }
}

/** Where events are told. */
class Places {
  readonly #ofHost = new Map<string, Sight[]>();

  constructor(private readonly sights: readonly Sight[]) {
    for (const sight of sights) {
      const ofHost = this.#ofHost.get(sight.host);
      if (ofHost) ofHost.push(sight);
      else this.#ofHost.set(sight.host, [sight]);
    }
  }

  /** Of the packets that the event's host sent or got, the nearest; of any host's, where the event has none. */
  of(event: HostEvent): Frame | undefined {
    return nearest(event.host === undefined ? this.sights : (this.#ofHost.get(event.host) ?? []), event)?.frame;
  }
}

/** What happened besides packets and calls, and to whom. */
function eventText(event: Exclude<HostEvent, CallEvent | ReturnEvent>): string {
  switch (event.kind) {
    case "state":
      return `${escapeForTerminal(event.socket)}: ${changeLabel(event)}`;
    case "timer":
      return `${escapeForTerminal(event.socket)}: ${timerLabel(event)}`;
    case "note":
      if (event.about === "expectation") return `expectation ${noteLabel(event)}`;
      return `${escapeForTerminal(event.process ?? event.host ?? event.about)}: ${noteLabel(event)}`;
  }
}

/**
 * Says on the nearest packet of its host what happened at each event. A call is told with its result where it returned,
 * and, if that is another packet, also where it was made. Returns what there was no packet for.
 */
function commentOnEvents(events: readonly TraceEvent[], sights: readonly Sight[]): string[] {
  const places = new Places(sights);
  const calls = new Map(events.flatMap((event) => (event.kind === "call" ? [[event.n, event]] : [])));
  const returns = new Map(events.flatMap((event) => (event.kind === "return" ? [[event.cause, event]] : [])));
  const textOf = (event: HostEvent): string | undefined => {
    if (event.kind !== "call" && event.kind !== "return") return eventText(event);
    const call = event.kind === "call" ? event : calls.get(event.cause);
    if (!call) return undefined;
    const text = `${escapeForTerminal(event.process)}: ${callLabel(call.call)}`;
    if (event.kind === "return") return `${text} = ${resultLabel(call.call, event.result)}`;
    const end = returns.get(event.n);
    return end !== undefined && places.of(end) === places.of(event) ? undefined : text;
  };
  const elsewhere: string[] = [];
  for (const event of events) {
    if (event.kind === "segment") continue;
    const text = textOf(event);
    const comments = places.of(event)?.comments ?? elsewhere;
    if (text !== undefined) comments.push(`${comment(text)} at ${timeLabel(event.tUs)}`);
  }
  return elsewhere;
}

/**
 * Puts comments on frames; of one `host`, about what happened there. Returns those on the whole: what it is, and what
 * there was no packet for.
 */
export function commentOnFrames(trace: Trace, { frames, sights }: Frames, host?: string): string[] {
  const { id, title } = trace.experiment;
  commentOnSegments(trace.events, frames);
  const here = trace.events.filter((event) => host === undefined || event.host === undefined || event.host === host);
  const elsewhere = commentOnEvents(here, sights);
  return [comment(escapeForTerminal(`${id}: ${title}`)), comment(verdictSentence(trace)), ...elsewhere];
}
