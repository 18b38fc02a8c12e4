/** Sequence numbers as people read them: relative to the first of each direction of each connection. */
import { seq, seqDiff } from "./seq.ts";

/** What numbering needs to know of a segment. */
export interface NumberedSegment {
  source: { address: string; port: number };
  destination: { address: string; port: number };
  /** Names as in `TCP_FLAGS`. */
  flags: readonly string[];
  seq: number;
  ack: number;
}

export interface RelativeNumbers {
  /** 0 for a SYN, 1 for the first byte of data. Negative: from before the connection, an old duplicate. */
  seq: number;
  /** Undefined without the ACK flag. */
  ack?: number;
  /** Which connection between these two endpoints it belongs to: 1, 2, … An old duplicate counts to the newest. */
  incarnation: number;
}

/** Where a direction's numbers begin, of the newest connection first. */
interface Initial {
  number: number;
  incarnation: number;
  before?: Initial;
}

function directionOf({ source, destination }: Pick<NumberedSegment, "source" | "destination">): string {
  return `${source.address} ${source.port} ${destination.address} ${destination.port}`;
}

function reverseOf({ source, destination }: NumberedSegment): string {
  return directionOf({ source: destination, destination: source });
}

/** Follows connections, segment by segment in the order in which they were sent. */
export class RelativeNumbering {
  readonly #initial = new Map<string, Initial>();

  number(segment: NumberedSegment): RelativeNumbers {
    const forward = directionOf(segment);
    const known = this.#initial.get(forward);
    const isSyn = segment.flags.includes("SYN");
    // A SYN sent again has the number of the first.
    if (!known || (isSyn && known.number !== segment.seq)) {
      const answered = this.#initial.get(reverseOf(segment));
      const incarnation =
        isSyn && segment.flags.includes("ACK") && answered ? answered.incarnation : (known?.incarnation ?? 0) + 1;
      // Without a SYN the numbering has to begin somewhere: as if one had just been.
      const number = isSyn ? segment.seq : seq(segment.seq - 1);
      this.#initial.set(forward, known ? { number, incarnation, before: known } : { number, incarnation });
    }
    const base = this.#initial.get(forward)!;
    const relative: RelativeNumbers = {
      seq: seqDiff(seq(segment.seq), seq(base.number)),
      incarnation: base.incarnation,
    };
    if (segment.flags.includes("ACK")) {
      relative.ack = this.#acknowledged(segment);
    }
    return relative;
  }

  #acknowledged(segment: NumberedSegment): number {
    let peer = this.#initial.get(reverseOf(segment));
    if (!peer) return segment.ack;
    const count = (initial: Initial) => seqDiff(seq(segment.ack), seq(initial.number));
    // A host that is not through with the last connection answers the next one's SYN with the numbers that it expects.
    while (peer.before && count(peer) < 0) peer = peer.before;
    return count(peer);
  }
}
