/** What the kernel and the model are both asked: which states, which segments; and what they are known to answer differently. */
import { ACK, FIN, flagNames, PSH, RST, SYN } from "../../src/codec/tcp.ts";

/** What the peer offers in all its segments. */
export const WINDOW = 20_000;

/** How a state is reached, from ESTABLISHED unless it is one before; `orphan`: the user has closed, not only shut down. */
export const STATES = [
  "CLOSED",
  "LISTEN",
  "SYN-SENT",
  "SYN-RECEIVED",
  "ESTABLISHED",
  "ESTABLISHED, data unread",
  "ESTABLISHED, data unacknowledged",
  "ESTABLISHED, data ahead",
  "FIN-WAIT-1",
  "FIN-WAIT-1, orphan",
  "FIN-WAIT-2",
  "FIN-WAIT-2, orphan",
  "CLOSING",
  "TIME-WAIT",
  "TIME-WAIT, tcp_rfc1337",
  "CLOSE-WAIT",
  "LAST-ACK",
  "SYN-RECEIVED, timestamps",
  "ESTABLISHED, timestamps",
  "FIN-WAIT-2, orphan, timestamps",
  "TIME-WAIT, timestamps",
  "LAST-ACK, timestamps",
] as const;
export type Situation = (typeof STATES)[number];

/** Where a number lies: relative to what is next, or to the window's right edge. */
export interface Stimulus {
  flags: number;
  seq: { from: "next" | "edge"; by: number };
  ack: { from: "una" | "next"; by: number };
  length: number;
  /** Its timestamp, relative to the last; undefined for none. */
  stamp?: number;
}

export interface Reaction {
  answers: string[];
  state: string;
}

export interface Difference {
  situation: Situation;
  stimulus: Stimulus;
  kernel: Reaction;
  model: Reaction;
}

const SEQS: readonly Stimulus["seq"][] = [
  { from: "next", by: -100 },
  { from: "next", by: -1 },
  { from: "next", by: 0 },
  { from: "next", by: 1 },
  { from: "edge", by: -50 },
  { from: "edge", by: -1 },
  { from: "edge", by: 0 },
  { from: "edge", by: 1 },
];
const ACKS: readonly Stimulus["ack"][] = [
  { from: "una", by: -WINDOW - 1 },
  { from: "una", by: -1 },
  { from: "una", by: 0 },
  { from: "next", by: 0 },
  { from: "next", by: 1 },
];

/** Each combination of the four flags that steer the connection, and each number at, below and above each edge. */
export function stimuli(situation: Situation): Stimulus[] {
  if (situation.endsWith("timestamps")) return plainStimuli().filter(isNear).flatMap(withStamps);
  return plainStimuli();
}

/** With so many timestamps to each, fewer numbers have to do. */
function isNear({ seq: at, ack, length }: Stimulus): boolean {
  return at.by >= -1 && at.by <= 1 && ack.by >= 0 && length < 100;
}

function withStamps(stimulus: Stimulus): Stimulus[] {
  return [stimulus, ...[-10, -1, 0, 1].map((stamp) => ({ ...stimulus, stamp }))];
}

function plainStimuli(): Stimulus[] {
  const all: Stimulus[] = [];
  for (const flags of Array.from({ length: 32 }, (_, bits) => bits).filter((bits) => !(bits & PSH))) {
    for (const at of SEQS) {
      for (const ack of flags & ACK ? ACKS : [ACKS[2]!]) {
        for (const length of [0, 10, 100]) all.push({ flags, seq: at, ack, length });
      }
    }
  }
  return all;
}

export function describeStimulus({ flags, seq: at, ack, length, stamp }: Stimulus): string {
  const by = (number: number) => (number === 0 ? "" : number > 0 ? `+${number}` : String(number));
  const names = { next: "RCV.NXT", edge: "right edge" } as const;
  const acks = { una: "SND.UNA", next: "SND.NXT" } as const;
  const text = `${flagNames(flags).join(",") || "no flag"} at ${names[at.from]}${by(at.by)}`;
  return `${text}${flags & ACK ? `, ACK ${acks[ack.from]}${by(ack.by)}` : ""}${length ? `, ${length} bytes` : ""}${stamp === undefined ? "" : `, TS.Recent${by(stamp)}`}`;
}

/** What the model does otherwise, knowingly. */
export const KNOWN: readonly { what: string; reason: string; covers(difference: Difference): boolean }[] = [
  {
    what: "data in turn with an acknowledgement that is too old are taken, and the challenge ACK acknowledges them",
    reason:
      "Header prediction: what looks like the expected next segment takes a shorter way, on which the verdict of tcp_ack is not asked for (tcp_rcv_established). RFC 5961 section 5.2 drops them, and so does the kernel's longer way.",
    covers: ({ situation, stimulus: { flags, seq: at, ack, length } }) =>
      situation.startsWith("ESTABLISHED") &&
      (flags & ~PSH) === ACK &&
      at.from === "next" &&
      at.by === 0 &&
      ack.from === "una" &&
      ack.by < 0 &&
      length > 0,
  },
  {
    what: "a second FIN behind the first, in a segment that begins before it, counts in RCV.NXT",
    reason:
      "No peer sends that: its stream has ended. RFC 9293 section 3.10.7.4 ignores it; tcp_data_queue puts it in line as it would data.",
    covers: ({ situation, stimulus: { flags, seq: at, length } }) =>
      /^(CLOSING|CLOSE-WAIT|LAST-ACK)/.test(situation) &&
      (flags & (FIN | SYN | RST)) === FIN &&
      at.from === "next" &&
      at.by + length === 0 &&
      length > 0,
  },
];
