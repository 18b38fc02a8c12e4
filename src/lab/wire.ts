/** The wire as both worlds have it: takes packets from hosts, asks the link's rules, and writes down what becomes of them. */
import { formatIp } from "../codec/address.ts";
import { setHopsLeft } from "../codec/ip.ts";
import { RelativeNumbering } from "../codec/numbering.ts";
import { decodePacket, type Packet } from "../codec/packet.ts";
import type { Link, LinkEvent } from "../link/link.ts";
import { segmentRecord } from "../trace/segment-record.ts";
import type { Recorder } from "../trace/recorder.ts";

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
    const record = segmentRecord(bytes, from, to);
    const id = this.recorder.nextSegment();
    const sent = this.recorder.add({
      kind: "segment",
      segment: id,
      fate: "sent",
      host: from,
      ...(cause !== undefined && { cause }),
      packet: record,
    });
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
      const { segment, fate } = event;
      const base = { kind: "segment", segment: segment.id, fate, cause: this.#sentBy.get(segment.id)! } as const;
      if (event.fate === "delivered") {
        const n = this.recorder.add({ ...base, host: segment.to, ...(event.copy && { copy: event.copy }) });
        setHopsLeft(segment.bytes, event.hopsLeft);
        this.deliver(segment.to, segment.packet, segment.bytes, n);
        continue;
      }
      this.recorder.add({
        ...base,
        ...("rule" in event && { rule: event.rule }),
        ...("copy" in event && { copy: event.copy }),
        ...("byUs" in event && { byUs: event.byUs }),
        ...(event.fate === "modified" && { packet: segmentRecord(segment.bytes, segment.from, segment.to) }),
      });
    }
  }
}
