/**
 * A trace in the notation of packetdrill (github.com/google/packetdrill), as one of its hosts lived through it: the calls
 * of its processes, what it sent (`>`) and what came to it (`<`). What packetdrill has no word for is a comment. Meant to
 * be read, and to begin a script with: packetdrill itself plays the peer of one process.
 */
import type { RelativeNumbers } from "../codec/numbering.ts";
import type {
  CallEvent,
  NoteEvent,
  ReturnEvent,
  SegmentEvent,
  SegmentRecord,
  Trace,
  TraceEvent,
} from "../trace/trace.ts";
import { returnsAtOnce } from "./at-once.ts";
import { escapeForTerminal } from "./escape.ts";
import { copyLabel, fateWords, ruleLabel } from "./fates.ts";
import { noteLabel, stateLabel, timerLabel } from "./labels.ts";
import { packetNumbers } from "./numbers.ts";
import { packetdrillAnswer, packetdrillCall } from "./packetdrill-call.ts";
import { packetdrillSegment } from "./packetdrill-segment.ts";
import { verdictSentence } from "./verdict.ts";

/** Seconds with microseconds, at least three decimals: `0.000`, `0.20005`. */
function seconds(us: number): string {
  return (us / 1e6).toFixed(6).replace(/0{1,3}$/, "");
}

class Script {
  readonly lines: string[] = [];
  readonly #host: string;
  readonly #atOnce: Map<number, ReturnEvent>;
  readonly #returns = new Map<number, ReturnEvent>();
  readonly #numbers: Map<number, RelativeNumbers>;
  readonly #packets = new Map<number, { record: SegmentRecord; relative: RelativeNumbers }>();
  #lastUs = 0;
  #process: string | undefined;

  constructor(events: readonly TraceEvent[], host: string) {
    this.#host = host;
    this.#atOnce = returnsAtOnce(events);
    this.#numbers = packetNumbers(events);
    for (const event of events) if (event.kind === "return") this.#returns.set(event.cause, event);
  }

  event(event: TraceEvent): void {
    if (event.kind === "segment") this.#segment(event);
    else if (event.kind === "note") this.#note(event);
    else if (event.host !== this.#host) return;
    else if (event.kind === "call") this.#call(event);
    else if (event.kind === "state")
      this.comment(`${escapeForTerminal(event.socket)}: ${event.from} -> ${stateLabel(event)}`);
    else if (event.kind === "timer" && event.what !== "started") {
      this.comment(`${escapeForTerminal(event.socket)}: ${timerLabel(event)}`);
    }
  }

  comment(text: string): void {
    this.lines.push(`// ${text}`);
  }

  #timed(tUs: number, text: string, endUs?: number): void {
    const until = endUs === undefined ? "" : `...${seconds(endUs - this.#lastUs)}`;
    this.lines.push(`+${seconds(tUs - this.#lastUs)}${until} ${text}`);
    this.#lastUs = tUs;
  }

  #call({ n, tUs, process, call }: CallEvent): void {
    if (process !== this.#process) this.comment(`process ${escapeForTerminal(process)}`);
    this.#process = process;
    const returned = this.#returns.get(n);
    const written = packetdrillCall(call, returned?.result);
    const text = returned ? `${written.text} = ${packetdrillAnswer(call, returned.result)}` : written.text;
    if (!written.isKnown) this.comment(text);
    else if (!returned) this.comment(`${text} did not return`);
    else this.#timed(tUs, text, this.#atOnce.has(n) ? undefined : returned.tUs);
  }

  #segment(event: SegmentEvent): void {
    const relative = this.#numbers.get(event.n);
    if (event.fate === "sent" && event.packet && relative) {
      this.#packets.set(event.segment, { record: event.packet, relative });
    }
    const known = this.#packets.get(event.segment);
    if (!known) return;
    const { record } = known;
    const sends = record.from === this.#host;
    if (!sends && record.to !== this.#host) return;
    const text = `${sends ? ">" : "<"} ${packetdrillSegment(record, known.relative)}`;
    if (event.fate === (sends ? "sent" : "delivered")) this.#timed(event.tUs, text);
    else if (event.fate !== "sent" && event.fate !== "delivered") {
      this.comment(`${text}: ${fateWords(event).full}${copyLabel(event)}${ruleLabel(event)}`);
    }
    if (event.fate === "modified" && event.packet && relative) {
      this.#packets.set(event.segment, { record: event.packet, relative });
    }
  }

  #note(event: NoteEvent): void {
    const { host, process } = event;
    if (host !== undefined && host !== this.#host) return;
    this.comment(`${process === undefined ? "" : `${escapeForTerminal(process)}: `}${noteLabel(event)}`);
  }
}

/**
 * The trace as `host` lived through it, by default the trace's last, usually the server. Lines, each ended by a newline.
 * Throws a RangeError if the trace has no such host.
 */
export function formatPacketdrill(trace: Trace, options: { host?: string } = {}): string {
  const host = options.host ?? trace.hosts.at(-1)?.name ?? "";
  if (!trace.hosts.some(({ name }) => name === host)) throw new RangeError(`the trace has no host named "${host}"`);
  const script = new Script(trace.events, host);
  script.comment(escapeForTerminal(`${trace.experiment.id}: ${trace.experiment.title}`));
  script.comment(escapeForTerminal(`${trace.system}, as seen by ${host}`));
  for (const event of trace.events) script.event(event);
  script.comment(verdictSentence(trace));
  return script.lines.map((line) => `${line}\n`).join("");
}
