/**
 * What a trace tells, without what belongs to the machine: two traces tell the same story when each host has the same order
 * of calls, results, segments and states. What is left out and merged, and why, are the rules of story-merge.ts.
 */
import type { Call, Endpoint } from "../call/call.ts";
import { relativeNumbers } from "./relative.ts";
import { merge, type Draft } from "./story-merge.ts";
import type { CallEvent, CallResult, SegmentEvent, SegmentRecord, StateEvent, Trace, TraceEvent } from "./trace.ts";

/** One thing that happened to a host. */
export interface StoryItem {
  text: string;
  /** The number of its event, or of the first of several. */
  n: number;
}

/** By host. */
export type TraceStory = ReadonlyMap<string, readonly StoryItem[]>;

/** No data, and nothing that takes a sequence number or breaks the connection. */
function isPureAck({ flags, payloadLength }: SegmentRecord): boolean {
  return payloadLength === 0 && flags.includes("ACK") && !flags.some((flag) => /SYN|FIN|RST/.test(flag));
}

function describeCall({ name, ...rest }: Call): string {
  const parts = Object.entries(rest).map(([key, value]) => `${key} ${JSON.stringify(value)}`);
  return [name, ...parts].join(" ");
}

/** Ports that a program has asked for; the others the kernel chooses by chance. */
function chosenPorts(events: readonly TraceEvent[]): Set<number> {
  const ports = new Set<number>();
  for (const event of events) {
    if (event.kind !== "call") continue;
    if (event.call.name === "bind" || event.call.name === "connect") ports.add(event.call.port);
  }
  return ports;
}

/** How far a direction has got: the number behind the last that was sent. */
type Ends = Map<string, number>;

function place(number: number, end: number): string {
  return number === end ? "next" : number < end ? "again" : "beyond";
}

/** A segment as it was sent. */
interface Sent {
  packet: SegmentRecord;
  text: string;
  /** Which data it belongs to: those that its sender had last written. */
  stream: string;
  connection: number;
  isNew: boolean;
  says: boolean;
}

class Teller {
  readonly #drafts = new Map<string, Draft[]>();
  readonly #ports: ReadonlySet<number>;
  readonly #numbers: ReturnType<typeof relativeNumbers>;
  readonly #segments = new Map<number, Sent>();
  readonly #connections = new Map<string, number>();
  readonly #ends: Ends = new Map();
  readonly #acked: Ends = new Map();
  /** The writes that segments have carried data of. */
  readonly #streams = new Set<string>();
  /** Connections on which ACKs tell of windows and gaps. */
  readonly #noisy = new Set<number>();
  /** The latest socket between two ends, of a host. */
  readonly #socketOf = new Map<string, string>();
  readonly #endsOf = new Map<string, string>();
  /** How many writes a socket's process has made. */
  readonly #writes = new Map<string, number>();

  constructor(private readonly trace: Trace) {
    this.#ports = chosenPorts(trace.events);
    this.#numbers = relativeNumbers(trace.events);
    for (const { name } of trace.hosts) this.#drafts.set(name, []);
    for (const { id, local, peer } of trace.sockets) this.#endsOf.set(id, `${name(local)} ${name(peer)}`);
  }

  #connection({ source, destination }: SegmentRecord, incarnation: number): number {
    const key = `${[name(source), name(destination)].sort().join(" ")} ${incarnation}`;
    const number = this.#connections.get(key) ?? this.#connections.size + 1;
    this.#connections.set(key, number);
    return number;
  }

  /** Where a segment stands in its stream, told so that it depends on no clock and no amount. */
  #describe(packet: SegmentRecord, segment: number): Pick<Sent, "text" | "connection"> & { place: string } {
    const { flags, payloadLength, from, to } = packet;
    const { seq, ack, incarnation } = this.#numbers.get(segment)!;
    const connection = this.#connection(packet, incarnation);
    const way = `${connection} ${from}`;
    const end = this.#ends.get(way) ?? 0;
    const peerEnd = this.#ends.get(`${connection} ${to}`) ?? 0;
    const length = payloadLength + Number(flags.includes("SYN")) + Number(flags.includes("FIN"));
    if (!flags.includes("RST")) this.#ends.set(way, Math.max(end, seq + length));
    const text = [
      `#${connection}`,
      `${from}:`,
      flags.join(","),
      place(seq, end),
      ...(ack === undefined ? [] : [`ack ${ack === peerEnd ? "all" : place(ack, peerEnd)}`]),
      ...(payloadLength > 0 ? [`${payloadLength} bytes`] : []),
    ].join(" ");
    return { text, connection, place: place(seq, end) };
  }

  #send({ segment, packet }: SegmentEvent): void {
    if (!packet) return;
    const says = this.#saysSomething(packet, segment);
    const { place: where, connection, text } = this.#describe(packet, segment);
    const socket = this.#socketOf.get(`${name(packet.source)} ${name(packet.destination)}`);
    const write = this.#writes.get(socket ?? "") ?? 0;
    const stream = `${text.split(":")[0]}: data of write ${write}`;
    if (packet.payloadLength > 0) {
      if (where === "again" || this.#streams.has(stream)) this.#noisy.add(connection);
      this.#streams.add(stream);
    }
    this.#segments.set(segment, { packet, text, stream, connection, isNew: where === "next", says });
  }

  /** Whether a segment is more than an ACK of what has not been acknowledged before, which may be delayed or saved. */
  #saysSomething(packet: SegmentRecord, segment: number): boolean {
    const { ack, incarnation } = this.#numbers.get(segment)!;
    const way = `${this.#connection(packet, incarnation)} ${packet.from}`;
    const before = this.#acked.get(way) ?? -1;
    if (ack !== undefined) this.#acked.set(way, Math.max(ack, before));
    return !isPureAck(packet) || ack === before;
  }

  #segment(event: SegmentEvent): void {
    const { segment, fate, n } = event;
    if (fate === "sent") this.#send(event);
    const { packet, text, stream, connection, isNew, says } = this.#segments.get(segment)!;
    if (!says) return;
    const { source, destination, from, to, payloadLength, flags } = packet;
    const host = fate === "delivered" ? to : from;
    const [own, peer] = host === from ? [source, destination] : [destination, source];
    const passes = fate === "sent" || fate === "delivered";
    const isFin = flags.includes("FIN");
    const isSyn = flags.includes("SYN") && !flags.includes("ACK");
    this.#drafts.get(host)!.push({
      kind: "segment",
      text: `${fate} ${text}`,
      n,
      // A SYN arrives for nobody yet.
      socket: isSyn && host === to ? undefined : this.#socketOf.get(`${name(own)} ${name(peer)}`),
      ...(passes && payloadLength > 0 && { data: `${fate} ${stream}`, isNew }),
      ...(isPureAck(packet) && { repeats: connection }),
      ...(passes && isFin && { fin: `${fate} ${stream}` }),
    });
  }

  #end({ address, port }: Endpoint): string {
    return `${address}:${this.#ports.has(port) ? port : "any"}`;
  }

  #result(call: Call, result: CallResult): string {
    if (!result.ok) return result.code;
    const { value, data, endpoint, events } = result;
    return [
      call.name === "fork" ? "a process" : value,
      ...(data ? [JSON.stringify(data.head)] : []),
      ...(endpoint ? [this.#end(endpoint)] : []),
      ...(events ? [events.join(" ") || "nothing"] : []),
    ].join(" ");
  }

  #return(event: TraceEvent & { kind: "return" }): Draft {
    const { host, process, socket, result, cause, n } = event;
    const { call } = this.trace.events[cause - 1] as CallEvent;
    const isStream = (call.name === "read" || call.name === "write") && result.ok && result.value > 0;
    const isAmount = call.name === "ioctl" && result.ok;
    return {
      kind: "return",
      text: `${process}: ${call.name} = ${this.#result(call, result)}`,
      n,
      socket,
      host,
      of: cause,
      ...(isStream && { stream: `${process}: ${call.name}s ${socket}`, isRead: call.name === "read" }),
      ...(isAmount && { amount: `${process}: ${call.name} = some` }),
    };
  }

  #state({ host, socket, from, to, cause, n }: StateEvent): Draft {
    if (to !== "CLOSED") this.#socketOf.set(this.#endsOf.get(socket)!, socket);
    const event = cause === undefined ? undefined : this.trace.events[cause - 1];
    const brought = event?.kind === "segment" ? this.#segments.get(event.segment) : undefined;
    const byAck = brought !== undefined && isPureAck(brought.packet);
    return { kind: "state", text: `${socket}: ${from} → ${to}`, n, socket, host, byAck };
  }

  #event(event: TraceEvent): void {
    switch (event.kind) {
      case "call": {
        const { host, process, socket, call, n } = event;
        const isStream = call.name === "read" || call.name === "write";
        if (call.name === "write") this.#writes.set(socket!, (this.#writes.get(socket!) ?? 0) + 1);
        const stream = isStream && { stream: `${process}: ${call.name}s ${socket}`, isRead: call.name === "read" };
        const text = `${process}: ${describeCall(call)}`;
        this.#drafts.get(host)!.push({ kind: "call", text, n, socket, isWrite: call.name === "write", ...stream });
        return;
      }
      case "return":
        this.#drafts.get(event.host)!.push(this.#return(event));
        return;
      case "segment":
        this.#segment(event);
        return;
      case "state":
        this.#drafts.get(event.host)!.push(this.#state(event));
        return;
      case "timer":
      case "note":
    }
  }

  tell(): TraceStory {
    for (const event of this.trace.events) this.#event(event);
    const isTold = ({ repeats }: Draft) => repeats === undefined || !this.#noisy.has(repeats);
    return new Map([...this.#drafts].map(([host, drafts]) => [host, merge(drafts.filter(isTold))]));
  }
}

function name({ address, port }: Endpoint): string {
  return `${address} ${port}`;
}

export function storyOf(trace: Trace): TraceStory {
  return new Teller(trace).tell();
}

/** Where two stories part. */
export interface StoryDifference {
  host: string;
  /** undefined: it has ended there. */
  one: StoryItem | undefined;
  other: StoryItem | undefined;
}

/** The first difference between two stories on each host that has one. */
export function compareStories(one: TraceStory, other: TraceStory): StoryDifference[] {
  const differences: StoryDifference[] = [];
  for (const host of new Set([...one.keys(), ...other.keys()])) {
    const [here, there] = [one.get(host) ?? [], other.get(host) ?? []];
    const length = Math.max(here.length, there.length);
    for (let i = 0; i < length; i++) {
      if (here[i]?.text === there[i]?.text) continue;
      differences.push({ host, one: here[i], other: there[i] });
      break;
    }
  }
  return differences;
}
