/** Traces by hand: what a run would have recorded, with packets that have their bytes. */
import type { Call, Endpoint } from "../../src/call/call.ts";
import { ERRNO, type Errno } from "../../src/call/errno.ts";
import type { TcpFlag, TcpOption } from "../../src/codec/tcp.ts";
import type {
  CallResult,
  EndState,
  NoteEvent,
  SegmentEvent,
  SegmentFate,
  SegmentRecord,
  SocketTimer,
  TimerEvent,
  Trace,
  TraceEvent,
  Verdict,
} from "../../src/trace/trace.ts";
import { type End, ENDS, otherEnd, recordOf, type SegmentWords } from "./packets.ts";

type Untimed<E> = E extends TraceEvent ? Omit<E, "n" | "tUs"> : never;

function endOf(host: string): Endpoint {
  const { ipv4, port } = host === "client" || host === "server" ? ENDS[host] : { ipv4: "10.9.0.9", port: 9000 };
  return { address: ipv4, port };
}

/** A host and one of its processes; of the same name, if no other is given. */
function named(who: string): { host: string; process: string } {
  const [host, ...process] = who.split("/");
  return { host: host!, process: process.length > 0 ? process.join("/") : host! };
}

export function ok(value = 0, more: Partial<Extract<CallResult, { ok: true }>> = {}): CallResult {
  return { ok: true, value, ...more };
}

export function got(text: string): CallResult {
  return ok(text.length, { data: { length: text.length, head: text } });
}

export function fails(code: keyof typeof ERRNO): CallResult {
  return { ok: false, errno: ERRNO[code], code: code as Errno };
}

export class TraceBuilder {
  readonly events: TraceEvent[] = [];
  readonly trace: Trace;
  tUs = 0;
  /** How much time each event takes. */
  stepUs = 50;
  #segments = 0;

  constructor(experiment: Partial<Trace["experiment"]> = {}, hosts: readonly string[] = ["client", "server"]) {
    this.trace = {
      schema: 1,
      experiment: { id: "example", title: "An example", claims: ["A1"], article: "It ends well.", ...experiment },
      world: "kernel",
      system: "Linux 6.18.0",
      hosts: hosts.map((name) => ({ name, addresses: [endOf(name).address] })),
      sockets: [],
      events: this.events,
      outcome: { status: "done", verdict: { holds: "yes", because: "that is what happened" } },
    };
  }

  add(event: Untimed<TraceEvent>): number {
    this.tUs += this.stepUs;
    const n = this.events.length + 1;
    this.events.push({ n, tUs: this.tUs, ...event } as TraceEvent);
    return n;
  }

  /** Milliseconds go by. */
  wait(ms: number): this {
    this.tUs += ms * 1000;
    return this;
  }

  /** What follows happens exactly then. */
  at(tUs: number): this {
    this.tUs = tUs;
    this.stepUs = 0;
    return this;
  }

  /** `who`: a host, or `host/process`. */
  begins(who: string, call: Call): number {
    return this.add({ kind: "call", ...named(who), call });
  }

  returns(who: string, cause: number, result: CallResult): void {
    this.add({ kind: "return", ...named(who), cause, result });
  }

  call(who: string, call: Call, result: CallResult = ok()): void {
    this.returns(who, this.begins(who, call), result);
  }

  state(socket: string, from: EndState, to: EndState, timer?: SocketTimer): void {
    const host = socket.split("/")[0]!;
    if (!this.trace.sockets.some(({ id }) => id === socket)) {
      const isConnected = to !== "BOUND" && to !== "LISTEN";
      const peer = isConnected ? endOf(otherEnd(host as End)) : { address: "0.0.0.0", port: 0 };
      this.trace.sockets.push({ id: socket, host, local: endOf(host), peer });
    }
    this.add({ kind: "state", host, socket, from, to, ...(timer && { timer }) });
  }

  timer(socket: string, timer: TimerEvent["timer"], what: TimerEvent["what"], leftMs = 0): void {
    this.add({ kind: "timer", host: socket.split("/")[0]!, socket, timer, what, leftMs });
  }

  note(about: NoteEvent["about"], text: string, more: Partial<NoteEvent> = {}): void {
    this.add({ kind: "note", about, text, ...more });
  }

  expect(text: string, met = true): void {
    this.note("expectation", text, { met });
  }

  sent(packet: SegmentRecord): number {
    const segment = ++this.#segments;
    this.add({ kind: "segment", segment, fate: "sent", host: packet.from, packet });
    return segment;
  }

  /** A segment that is sent at a time and delivered 1 ms later. */
  exchanged(tUs: number, words: SegmentWords): this {
    const segment = this.at(tUs).sent(recordOf(words));
    this.at(tUs + 1000).fate(segment, "delivered", { host: otherEnd(words.from) });
    return this;
  }

  fate(segment: number, fate: SegmentFate, more: Partial<SegmentEvent> = {}): void {
    this.add({ kind: "segment", segment, fate, ...more });
  }

  verdict(holds: Verdict["holds"], because: string): Trace {
    this.trace.outcome = { status: "done", verdict: { holds, because } };
    return this.trace;
  }
}

interface SendOptions {
  data?: string;
  /** For data that nobody looks at. */
  length?: number;
  /** Relative, where it is not what comes next. */
  seq?: number;
  window?: number;
}

const SYN_OPTIONS: TcpOption[] = [
  { kind: "mss", value: 1460 },
  { kind: "sackPermitted" },
  { kind: "timestamps", value: 1000, echo: 0 },
  { kind: "nop" },
  { kind: "windowScale", shift: 7 },
];
const OPTIONS: TcpOption[] = [{ kind: "nop" }, { kind: "nop" }, { kind: "timestamps", value: 1010, echo: 1000 }];

/** Keeps the sequence numbers of a connection. */
export class Connection {
  readonly #ends: Record<End, { initial: number; next: number; received: number }>;
  readonly #clientPort: number;

  constructor(
    private readonly builder: TraceBuilder,
    { clientPort = ENDS.client.port, initial = [3_000_000_000, 4_294_967_290] } = {},
  ) {
    this.#clientPort = clientPort;
    this.#ends = {
      client: { initial: initial[0]!, next: 0, received: 0 },
      server: { initial: initial[1]!, next: 0, received: 0 },
    };
  }

  packet(from: End, flags: readonly TcpFlag[], options: SendOptions = {}): SegmentRecord {
    const [mine, peer] = [this.#ends[from], this.#ends[otherEnd(from)]];
    const data = options.data ?? "x".repeat(options.length ?? 0);
    const at = options.seq ?? mine.next;
    mine.next = Math.max(
      mine.next,
      at + data.length + (flags.includes("SYN") ? 1 : 0) + (flags.includes("FIN") ? 1 : 0),
    );
    return recordOf({
      from,
      flags,
      seq: mine.initial + at,
      ack: flags.includes("ACK") ? peer.initial + mine.received : 0,
      data,
      options: flags.includes("SYN") ? SYN_OPTIONS : OPTIONS,
      window: options.window ?? 502,
      clientPort: this.#clientPort,
    });
  }

  send(from: End, flags: readonly TcpFlag[], options: SendOptions = {}): number {
    return this.builder.sent(this.packet(from, flags, options));
  }

  /** What `from` sent until now has come to the other. */
  arrived(segment: number, from: End): void {
    const to = otherEnd(from);
    this.#ends[to].received = this.#ends[from].next;
    this.builder.fate(segment, "delivered", { host: to });
  }

  /** Sent and delivered, with nothing in between. */
  pass(from: End, flags: readonly TcpFlag[], options: SendOptions = {}): number {
    const segment = this.send(from, flags, options);
    this.arrived(segment, from);
    return segment;
  }
}
