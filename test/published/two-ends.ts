/** Two TCPs and a wire between them that a story moves by hand, segment by segment, told as RFC 793's figures tell it. */
import { decodeTcp, encodeTcp, ACK, FIN, RST, SYN, type TcpSegment } from "../../src/codec/tcp.ts";
import { seq } from "../../src/codec/seq.ts";
import * as tcp from "../../src/tcp/index.ts";

export type Name = "A" | "B";

const PORTS = { A: 40_000, B: 80 };
const CONTROLS = [
  ["SYN", SYN],
  ["FIN", FIN],
  ["RST", RST],
  ["ACK", ACK],
] as const;

/** `<SEQ=300><ACK=101><CTL=FIN,ACK>` */
export function told({ seq: from, ack, flags, payload }: TcpSegment): string {
  const controls = CONTROLS.filter(([, bit]) => flags & bit).map(([name]) => name);
  return [
    `<SEQ=${from}>`,
    flags & ACK ? `<ACK=${ack}>` : "",
    payload.length > 0 ? `<DATA=${payload.length}>` : "",
    `<CTL=${controls.join(",")}>`,
  ].join("");
}

export class TwoEnds {
  nowUs = 0;
  /** What was sent, from whom, in order. */
  readonly log: string[] = [];
  readonly ends: Record<Name, tcp.Connection>;
  readonly #given: Partial<tcp.Settings>;

  /** A connects, B listens; with these first numbers. */
  constructor(iss: Record<Name, number>, given: Partial<tcp.Settings> = {}) {
    this.#given = given;
    this.ends = {
      A: tcp.connect(this.#settings("A", PORTS.B), seq(iss.A)),
      B: tcp.listen(this.#settings("B", 0), seq(iss.B)),
    };
  }

  #settings(name: Name, remotePort: number): tcp.Settings {
    return tcp.settingsOf({ mss: 100, noDelay: true, ...this.#given, localPort: PORTS[name], remotePort });
  }

  /** What an end has to send now, as it leaves: time goes on to its next timeout where it has nothing to send yet. */
  sends(name: Name): TcpSegment[] {
    const end = this.ends[name];
    const segments: TcpSegment[] = [];
    const take = () => {
      for (let one; (one = tcp.pollTransmit(end, this.nowUs));) segments.push(one);
    };
    take();
    if (segments.length === 0) {
      this.nowUs = tcp.pollTimeout(end) ?? this.nowUs;
      tcp.handleTimeout(end, this.nowUs);
      take();
    }
    for (const segment of segments) this.log.push(`${name}: ${told(segment)}`);
    return segments;
  }

  /** These arrive at the other end, which answers nothing yet. */
  arrive(at: Name, segments: readonly TcpSegment[]): void {
    for (const segment of segments) {
      const copy = decodeTcp(encodeTcp(segment));
      if (!copy.ok) throw new Error("a segment of our own can't be decoded");
      tcp.handleSegment(this.ends[at], this.nowUs, copy.value);
    }
  }

  /** What an end sends arrives at once. */
  passes(from: Name): void {
    this.arrive(from === "A" ? "B" : "A", this.sends(from));
  }

  /** A segment from an earlier incarnation, found on the wire. */
  duplicate(
    to: Name,
    given: Partial<Pick<TcpSegment, "flags" | "options">> & { seq: number; ack: number; length?: number },
  ): void {
    const [sourcePort, destinationPort] = to === "A" ? [PORTS.B, PORTS.A] : [PORTS.A, PORTS.B];
    const segment: TcpSegment = {
      sourcePort,
      destinationPort,
      seq: seq(given.seq),
      ack: seq(given.ack),
      flags: given.flags ?? ACK,
      window: 1000,
      urgent: 0,
      options: given.options ?? [],
      payload: new Uint8Array(given.length ?? 0).fill(OLD),
    };
    this.log.push(`old: ${told(segment)}`);
    this.arrive(to, [segment]);
  }

  write(name: Name, length: number): void {
    tcp.send(this.ends[name], new Uint8Array(length).fill(NEW));
  }

  /** The three segments. */
  open(): void {
    this.passes("A");
    this.passes("B");
    this.passes("A");
    this.log.length = 0;
  }
}

/** What the data of the two incarnations are made of. */
export const [OLD, NEW] = [0xdd, 0xaa];
