/** Puts a trace together by hand, event by event, between the hosts `client` and `server`. */
import { ERRNO } from "../../src/call/errno.ts";
import type { Call, Endpoint } from "../../src/call/call.ts";
import type {
  CallResult,
  EndState,
  NoteEvent,
  Outcome,
  SegmentEvent,
  SegmentFate,
  SegmentRecord,
  SocketTimer,
  Trace,
  TraceEvent,
} from "../../src/trace/trace.ts";

const ADDRESSES: Record<string, string> = { client: "10.9.0.1", server: "10.9.0.2" };
/** The client's port, where nothing else is said. */
export const EPHEMERAL = 40_312;

interface Sent {
  from: string;
  flags: readonly string[];
  seq: number;
  ack?: number;
  length?: number;
  ports?: readonly [number, number];
}

/** Events without what the builder adds. */
type Bare = TraceEvent extends infer E ? (E extends TraceEvent ? Omit<E, "n" | "tUs"> : never) : never;

export class TraceBuilder {
  readonly events: TraceEvent[] = [];
  readonly #sockets = new Map<string, { local: Endpoint; peer: Endpoint }>();
  readonly #states = new Map<string, EndState>();
  #tUs = 0;
  readonly #packets: SegmentRecord[] = [];

  constructor(
    private readonly id: string,
    private readonly title: string,
    private readonly article = "The port can be used again at once.",
  ) {}

  #push(event: Bare): number {
    const n = this.events.length + 1;
    this.events.push({ ...event, n, tUs: this.#tUs } as TraceEvent);
    return n;
  }

  after(us: number): this {
    this.#tUs += us;
    return this;
  }

  note(about: NoteEvent["about"], text: string, more: Partial<NoteEvent> = {}): this {
    this.#push({ kind: "note", about, text, ...more });
    return this;
  }

  /** A call of a process named `host` or `host NAME`. Gives its event's number. */
  call(process: string, call: Call, socket?: string): number {
    const host = process.split(" ")[0]!;
    return this.#push({ kind: "call", host, process, call, ...(socket && { socket }) });
  }

  returns(cause: number, result: Partial<CallResult> | keyof typeof ERRNO = {}): this {
    const { host, process, socket } = this.events[cause - 1] as { host: string; process: string; socket?: string };
    const full =
      typeof result === "string"
        ? { ok: false, errno: ERRNO[result], code: result }
        : { ok: true, value: 0, ...result };
    this.#push({ kind: "return", host, process, cause, result: full as CallResult, ...(socket && { socket }) });
    return this;
  }

  /** A call that returns before anything else happens. */
  does(process: string, call: Call, result?: Partial<CallResult> | keyof typeof ERRNO, socket?: string): this {
    const n = this.call(process, call, socket);
    this.after(12);
    return this.returns(n, result);
  }

  state(socket: string, to: EndState, timer?: SocketTimer): this {
    const from = this.#states.get(socket) ?? "CLOSED";
    this.#states.set(socket, to);
    if (!this.#sockets.has(socket)) this.endpoints(socket, 8000, undefined);
    this.#push({ kind: "state", host: socket.split("/")[0]!, socket, from, to, ...(timer && { timer }) });
    return this;
  }

  endpoints(socket: string, port: number, peerPort: number | undefined): this {
    const host = socket.split("/")[0]!;
    const other = host === "client" ? "server" : "client";
    this.#sockets.set(socket, {
      local: { address: ADDRESSES[host]!, port },
      peer: peerPort === undefined ? { address: "0.0.0.0", port: 0 } : { address: ADDRESSES[other]!, port: peerPort },
    });
    return this;
  }

  /** A segment leaves its host. Gives its number. */
  sends({ from, flags, seq, ack = 0, length = 0, ports }: Sent): number {
    const to = from === "client" ? "server" : "client";
    const [source, destination] = ports ?? (from === "client" ? [EPHEMERAL, 8000] : [8000, EPHEMERAL]);
    const packet: SegmentRecord = {
      from,
      to,
      source: { address: ADDRESSES[from]!, port: source },
      destination: { address: ADDRESSES[to]!, port: destination },
      flags,
      seq: seq >>> 0,
      ack: ack >>> 0,
      window: 64_240,
      payloadLength: length,
      bytes: "4500",
      length: 40 + length,
    };
    const segment = this.#packets.push(packet);
    this.#push({ kind: "segment", segment, fate: "sent", host: from, packet });
    return segment;
  }

  packet(segment: number): SegmentRecord {
    return this.#packets[segment - 1]!;
  }

  wire(segment: number, fate: SegmentFate, more: Partial<SegmentEvent> = {}): this {
    this.#push({ kind: "segment", segment, fate, ...more });
    return this;
  }

  arrives(segment: number, copy?: number): this {
    return this.wire(segment, "delivered", { host: this.packet(segment).to, ...(copy && { copy }) });
  }

  /** Sent, and delivered a while later. */
  passes(sent: Sent, us = 90): this {
    const segment = this.sends(sent);
    return this.after(us).arrives(segment);
  }

  timer(socket: string, timer: SocketTimer["kind"], what: "started" | "restarted" | "expired", leftMs: number): this {
    this.#push({ kind: "timer", host: socket.split("/")[0]!, socket, timer, what, leftMs });
    return this;
  }

  trace(outcome: Outcome, claims: readonly string[] = ["A port in TIME-WAIT refuses bind"]): Trace {
    return {
      schema: 1,
      experiment: { id: this.id, title: this.title, claims, article: this.article },
      world: "kernel",
      system: "Linux 6.18.44",
      hosts: Object.entries(ADDRESSES).map(([name, address]) => ({ name, addresses: [address] })),
      sockets: [...this.#sockets].map(([id, ends]) => ({ id, host: id.split("/")[0]!, ...ends })),
      events: this.events,
      outcome,
    };
  }
}
