/**
 * RFC 1337's four figures: how an old duplicate ends TIME-WAIT, and the three hazards for the connection that is opened then
 * at once. A and B are as there; they go by RFC 793's rules, then with one of the fixes, then by RFC 9293's, which has
 * RFC 5961.
 */
import type { TcpOption } from "../../src/codec/tcp.ts";
import * as tcp from "../../src/tcp/index.ts";
import { OLD, told, TwoEnds } from "./two-ends.ts";

/** `none`: RFC 793. F1: RSTs are ignored in TIME-WAIT. F2: timestamps, and PAWS. `rfc5961`: RFC 9293 without F1 and F2. */
export type Fix = "none" | "F1" | "F2" | "rfc5961";
export const FIXES = ["none", "F1", "F2", "rfc5961"] as const;

/**
 * The figures as they are printed: every segment, in the order in which it is sent, and not once more where it arrives later;
 * `old` is the old duplicate, of which figure 1 leaves CTL out.
 */
export const PUBLISHED = {
  figure1: [
    "A: <SEQ=100><ACK=300><CTL=FIN,ACK>",
    "B: <SEQ=300><ACK=101><CTL=ACK>",
    "B: <SEQ=300><ACK=101><CTL=FIN,ACK>",
    "A: <SEQ=101><ACK=301><CTL=ACK>",
    "old: <SEQ=255><ACK=33><CTL=ACK>",
    "A: <SEQ=101><ACK=301><CTL=ACK>",
    "B: <SEQ=301><CTL=RST>",
  ],
  figure2: [
    "A: <SEQ=400><ACK=101><DATA=100><CTL=ACK>",
    "B: <SEQ=101><ACK=500><CTL=ACK>",
    "old: <SEQ=560><ACK=101><DATA=80><CTL=ACK>",
    "B: <SEQ=101><ACK=500><CTL=ACK>",
    "A: <SEQ=500><ACK=101><DATA=100><CTL=ACK>",
    "B: <SEQ=101><ACK=640><CTL=ACK>",
    "A: <SEQ=600><ACK=101><DATA=100><CTL=ACK>",
    "A: <SEQ=700><ACK=101><DATA=100><CTL=ACK>",
  ],
  // From segment 6 of figure 2 on, which arrives as 7b.
  figure3: ["B: <SEQ=101><ACK=640><CTL=ACK>", "A: <SEQ=600><ACK=101><CTL=ACK>", "B: <SEQ=101><ACK=640><CTL=ACK>"],
  // B's window is 800, as in segment 3 and in the text; where the same segment arrives, as 6, the figure has 900.
  figure4: [
    "A: <SEQ=100><CTL=SYN>",
    "B: <SEQ=400><ACK=101><CTL=SYN,ACK>",
    "old: <SEQ=300><ACK=123><CTL=ACK>",
    "A: <SEQ=123><CTL=RST>",
    "A: <SEQ=101><ACK=401><CTL=ACK>",
    "B: <SEQ=401><CTL=RST>",
  ],
} as const;

const MSL_US = 120_000_000;
/** The old segment's timestamp, from before the first of the new connection. */
const OLD_STAMP: TcpOption = { kind: "timestamps", value: 1, echo: 1 };

export interface Told {
  /** Every segment, from whom. */
  log: readonly string[];
  /** What became of it. */
  outcome: string;
}

function settings(fix: Fix): Partial<tcp.Settings> {
  return {
    rfc1337: fix === "F1",
    timestamps: fix === "F2",
    timestampOffset: 1000,
    mss: fix === "F2" ? 112 : 100, // 100 bytes of data are a full segment
    rfc5961: fix === "rfc5961",
    timeWaitUs: 2 * MSL_US,
  };
}

const stampOf = (fix: Fix) => (fix === "F2" ? [OLD_STAMP] : []);

/** TIME-WAIT is assassinated, or it is not. */
export function figure1(fix: Fix): Told & { state: tcp.ConnectionState } {
  const two = new TwoEnds({ A: 99, B: 299 }, settings(fix));
  const { A, B } = two.ends;
  two.open();
  tcp.shutdown(A);
  two.passes("A");
  two.passes("B");
  tcp.shutdown(B);
  two.passes("B");
  two.passes("A");
  two.duplicate("A", { seq: 255, ack: 33, options: stampOf(fix) });
  two.passes("A");
  two.passes("B");
  return { log: two.log, outcome: `A: ${A.state}`, state: A.state };
}

/** How old a segment from before is at least when the ends are open for a new connection: nothing, or all of TIME-WAIT. */
function oldestUs(fix: Fix): number {
  return figure1(fix).state === "CLOSED" ? 0 : 2 * MSL_US;
}

/** Whether a segment from before is still on its way when the connection is opened again. */
export function survives(fix: Fix): boolean {
  return oldestUs(fix) <= MSL_US;
}

function lost(fix: Fix): Told | undefined {
  return survives(fix) ? undefined : { log: [], outcome: "no duplicate lives so long: TIME-WAIT was kept" };
}

function wrongBytes(end: tcp.Connection): number {
  return [...(tcp.receive(end) ?? [])].filter((byte) => byte === OLD).length;
}

/** As far as segment 6, which is still on its way. */
function lurking(fix: Fix) {
  const two = new TwoEnds({ A: 399, B: 100 }, settings(fix));
  two.open();
  two.write("A", 100);
  two.passes("A");
  two.passes("B");
  two.duplicate("B", { seq: 560, ack: 101, length: 80, options: stampOf(fix) });
  two.passes("B");
  two.write("A", 100);
  two.passes("A");
  return { two, six: two.sends("B") };
}

/** Old data are accepted, and the error goes undetected. */
export function figure2(fix: Fix): Told {
  const gone = lost(fix);
  if (gone) return gone;
  const { two, six } = lurking(fix);
  two.write("A", 100);
  two.passes("A");
  two.arrive("A", six);
  two.write("A", 100);
  two.passes("A");
  const wrong = wrongBytes(two.ends.B);
  return {
    log: two.log,
    outcome: wrong > 0 ? `${wrong} bytes of old data reach B's user` : "B's user gets what A sent",
  };
}

/** So long an exchange counts as endless. */
const ENDLESS = 10_000;

/** Segment 6 arrives before A has sent on: it acknowledges what was never sent. */
export function figure3(fix: Fix): Told {
  const gone = lost(fix);
  if (gone) return gone;
  const { two, six } = lurking(fix);
  two.log.splice(0, two.log.length - 1);
  two.arrive("A", six);
  const { nowUs } = two;
  for (let from: "A" | "B" = "A"; two.log.length <= ENDLESS; from = from === "A" ? "B" : "A") {
    const segment = tcp.pollTransmit(two.ends[from], nowUs);
    if (!segment) break;
    two.log.push(`${from}: ${told(segment)}`);
    two.arrive(from === "A" ? "B" : "A", [segment]);
  }
  const exchanged = two.log.length - 1;
  if (exchanged === ENDLESS) return { log: two.log, outcome: "ACKs without end" };
  return { log: two.log, outcome: exchanged === 0 ? "no ACK is answered" : `ACKs, ended after ${exchanged}` };
}

/** An old ACK in SYN-SENT draws a RST that B believes: the connection seems to open, and dies. */
export function figure4(fix: Fix): Told {
  const gone = lost(fix);
  if (gone) return gone;
  const two = new TwoEnds({ A: 100, B: 400 }, { ...settings(fix), receiveBuffer: 800 });
  const { A, B } = two.ends;
  two.passes("A");
  const three = two.sends("B");
  two.duplicate("A", { seq: 300, ack: 123, options: stampOf(fix) });
  two.passes("A");
  two.arrive("A", three);
  two.passes("A");
  two.passes("B");
  return { log: two.log, outcome: `A: ${A.state}${A.error ? ` (${A.error})` : ""}, B: ${B.state}` };
}
