/** Traces by hand: what a run would have recorded, with packets that have their bytes. */
import type { Call, Endpoint } from "../../src/call/call.ts";
import { ERRNO, type Errno } from "../../src/call/errno.ts";
import { parseIpv4 } from "../../src/codec/address.ts";
import { toHex } from "../../src/codec/hex.ts";
import { IPPROTO_TCP } from "../../src/codec/ip.ts";
import { encodePacket } from "../../src/codec/packet.ts";
import { seq } from "../../src/codec/seq.ts";
import { flagBits, type TcpFlag, type TcpOption } from "../../src/codec/tcp.ts";
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

type Untimed<E> = E extends TraceEvent ? Omit<E, "n" | "tUs"> : never;

export const ADDRESSES: Record<string, string> = { client: "10.9.0.1", server: "10.9.0.2" };

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
      hosts: hosts.map((name) => ({ name, addresses: [ADDRESSES[name] ?? "10.9.0.9"] })),
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

  /** `who`: a host, or `host/process`. */
  begins(who: string, call: Call): number {
    const [host, process] = who.split("/");
    return this.add({ kind: "call", host: host!, process: process ?? host!, call });
  }

  returns(who: string, cause: number, result: CallResult): void {
    const [host, process] = who.split("/");
    this.add({ kind: "return", host: host!, process: process ?? host!, cause, result });
  }

  call(who: string, call: Call, result: CallResult = ok()): void {
    this.returns(who, this.begins(who, call), result);
  }

  state(socket: string, from: EndState, to: EndState, timer?: SocketTimer): void {
    const host = socket.split("/")[0]!;
    if (!this.trace.sockets.some(({ id }) => id === socket)) {
      const end = { address: ADDRESSES[host] ?? "10.9.0.9", port: 8000 };
      this.trace.sockets.push({ id: socket, host, local: end, peer: end });
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
  readonly #ends: Record<string, { endpoint: Endpoint; initial: number; next: number; received: number }>;

  constructor(
    private readonly builder: TraceBuilder,
    { clientPort = 40000, initial = [3_000_000_000, 4_294_967_290] } = {},
  ) {
    const end = (host: string, port: number, start: number) => ({
      endpoint: { address: ADDRESSES[host]!, port },
      initial: start,
      next: 0,
      received: 0,
    });
    this.#ends = { client: end("client", clientPort, initial[0]!), server: end("server", 8000, initial[1]!) };
  }

  packet(from: "client" | "server", flags: readonly TcpFlag[], options: SendOptions = {}): SegmentRecord {
    const to = from === "client" ? "server" : "client";
    const [mine, peer] = [this.#ends[from]!, this.#ends[to]!];
    const payload = new TextEncoder().encode(options.data ?? "x".repeat(options.length ?? 0));
    const at = options.seq ?? mine.next;
    const occupied = payload.length + (flags.includes("SYN") ? 1 : 0) + (flags.includes("FIN") ? 1 : 0);
    mine.next = Math.max(mine.next, at + occupied);
    const acks = flags.includes("ACK");
    const tcp = {
      sourcePort: mine.endpoint.port,
      destinationPort: peer.endpoint.port,
      seq: seq(mine.initial + at),
      ack: seq(acks ? peer.initial + mine.received : 0),
      flags: flagBits(flags),
      window: options.window ?? 502,
      urgent: 0,
      options: flags.includes("SYN") ? SYN_OPTIONS : OPTIONS,
      payload,
    };
    const ip = {
      version: 4 as const,
      tos: 0,
      id: 1,
      fragment: 0x4000,
      ttl: 64,
      protocol: IPPROTO_TCP,
      source: parseIpv4(mine.endpoint.address)!,
      destination: parseIpv4(peer.endpoint.address)!,
      options: new Uint8Array(),
    };
    const bytes = encodePacket({ ip, tcp });
    return {
      from,
      to,
      source: mine.endpoint,
      destination: peer.endpoint,
      flags,
      seq: tcp.seq,
      ack: tcp.ack,
      window: tcp.window,
      payloadLength: payload.length,
      bytes: toHex(bytes.subarray(0, 128)),
      length: bytes.length,
    };
  }

  send(from: "client" | "server", flags: readonly TcpFlag[], options: SendOptions = {}): number {
    return this.builder.sent(this.packet(from, flags, options));
  }

  /** What `from` sent until now has come to the other. */
  arrived(segment: number, from: "client" | "server"): void {
    const to = from === "client" ? "server" : "client";
    this.#ends[to]!.received = this.#ends[from]!.next;
    this.builder.fate(segment, "delivered", { host: to });
  }

  /** Sent and delivered, with nothing in between. */
  pass(from: "client" | "server", flags: readonly TcpFlag[], options: SendOptions = {}): number {
    const segment = this.send(from, flags, options);
    this.arrived(segment, from);
    return segment;
  }
}
