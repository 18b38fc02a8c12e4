/** The wire as both worlds have it: takes packets from hosts, asks the link's rules, and writes down what becomes of them. */
import { formatIp } from "../codec/address.ts";
import { setHopsLeft } from "../codec/ip.ts";
import { RelativeNumbering } from "../codec/numbering.ts";
import { decodePacket, type Packet } from "../codec/packet.ts";
import type { Link, LinkEvent } from "../link/link.ts";
import { segmentRecord } from "../trace/segment-record.ts";
import type { NewEvent, Recorder } from "../trace/recorder.ts";

/**
 * The addresses of a run's `number`-th host, from 1 on: `count` of IPv4, then one of IPv6 if there is such a thing. The same
 * in both worlds, as an experiment's traces are.
 */
export function addressesOnWire(number: number, count: number, { ipv6 }: { ipv6: boolean }): string[] {
  const addresses = Array.from({ length: count }, (_, i) => `10.9.0.${number + 10 * i}`);
  return ipv6 ? [...addresses, `fd09::${number}`] : addresses;
}

type NewSegmentEvent = NewEvent & { kind: "segment" };

export class Wire {
  readonly #hostOf = new Map<string, string>();
  readonly #numbering = new RelativeNumbering();
  /** The event of each segment's sending. */
  readonly #sentBy = new Map<number, number>();

  /** `deliver` hands a packet to a host; `event` is the number of its delivery. */
  constructor(
    private readonly link: Link,
    private readonly recorder: Recorder,
    private readonly deliver: (host: string, packet: Packet, bytes: Uint8Array, event: number) => void,
  ) {}

  /** Packets to this address go to this host. */
  attach(address: string, host: string): void {
    this.#hostOf.set(address, host);
  }

  /** A host has sent a packet; the wire owns its bytes. What is not TCP, or goes nowhere, is not carried. */
  carry(from: string, bytes: Uint8Array, cause?: number): void {
    const packet = decodePacket(bytes);
    if (!packet.ok) return;
    const to = this.#hostOf.get(formatIp(packet.value.ip.destination));
    if (to === undefined) return;
    const record = segmentRecord(bytes, packet.value, from, to);
    const id = this.recorder.nextSegment();
    const event: NewSegmentEvent = { kind: "segment", segment: id, fate: "sent", host: from };
    if (cause !== undefined) event.cause = cause;
    event.packet = record;
    const sent = this.recorder.add(event);
    this.#sentBy.set(id, sent);
    const relativeSeq = this.#numbering.number(record).seq;
    this.#happen(this.link.offer({ id, from, to, packet: packet.value, bytes, relativeSeq }, this.recorder.nowUs()));
  }

  /** Delivers what has been delayed long enough. True if there was any. */
  moveDue(): boolean {
    const events = this.link.due(this.recorder.nowUs());
    this.#happen(events);
    return events.length > 0;
  }

  release(name: string, count?: number): void {
    this.#happen(this.link.release(name, count));
  }

  #happen(events: readonly LinkEvent[]): void {
    for (const event of events) {
      const n = this.#record(event);
      if (event.fate !== "delivered") continue;
      const { to, packet, bytes } = event.segment;
      setHopsLeft(bytes, event.hopsLeft);
      this.deliver(to, packet, bytes, n);
    }
  }

  #record(event: LinkEvent): number {
    const { segment, fate } = event;
    const { id, from, to, packet, bytes } = segment;
    const record: NewSegmentEvent = { kind: "segment", segment: id, fate, cause: this.#sentBy.get(id)! };
    if (fate === "delivered") record.host = to;
    if ("rule" in event) record.rule = event.rule;
    if ("copy" in event) record.copy = event.copy;
    if ("byUs" in event) record.byUs = event.byUs;
    if (fate === "modified") record.packet = segmentRecord(bytes, packet, from, to);
    return this.recorder.add(record);
  }
}
