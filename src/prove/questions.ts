/** The questions that have a name, and the assumptions under which their answer is yes. */
import type { Question } from "./question.ts";

export interface Assumption {
  id: string;
  text: string;
  isMade(question: Question): boolean;
  /** The question without it. */
  drop(question: Question): Question;
}

export const ASSUMPTIONS: readonly Assumption[] = [
  {
    id: "time-wait",
    text: "TIME-WAIT lasts 2 MSL",
    isMade: ({ timeWait, msl }) => timeWait >= 2 * msl,
    drop: (question) => ({ ...question, timeWait: 0 }),
  },
  {
    id: "f1",
    text: "RSTs are ignored in TIME-WAIT (RFC 1337, fix F1)",
    isMade: ({ ignoresReset }) => ignoresReset,
    drop: (question) => ({ ...question, ignoresReset: false }),
  },
  {
    id: "rfc5961",
    text: "doubtful segments draw challenge ACKs, and not without end (RFC 5961)",
    isMade: ({ challenges }) => challenges,
    drop: (question) => ({ ...question, challenges: false }),
  },
  {
    id: "no-abort",
    text: "no incarnation but the last is aborted",
    isMade: ({ endings }) => !endings.includes("abort"),
    drop: (question) => ({ ...question, endings: ["abort", "clean"] }),
  },
  {
    id: "bounded-losses",
    text: "losses are so bounded that a retransmitted FIN arrives within 2 MSL",
    isMade: ({ harms }) => harms.every(({ strays }) => strays < LOSSES_TOO_MANY),
    drop: (question) => ({
      ...question,
      harms: [...question.harms.filter(({ strays }) => strays === 0), { strays: LOSSES_TOO_MANY, copies: 0 }],
    }),
  },
  {
    id: "both-close",
    text: "both programs close",
    isMade: ({ endings }) => !endings.includes("never"),
    drop: ({ endings, ...question }) => ({ ...question, endings: ["never", ...endings.slice(1)] }),
  },
];

/** One of the last ACK, and one of the FIN that is sent again: the second time it comes when 2 MSL are over. */
const LOSSES_TOO_MANY = 2;

export interface NamedQuestion {
  id: string;
  /** What is asked, as a sentence that holds or does not. */
  claim: string;
  /** Where it comes from. */
  source: string;
  question: Question;
}

/** MSL: two ticks, which is a retransmission timeout. */
const MSL = 2;
const USUAL = { msl: MSL, timeWait: 2 * MSL, ignoresReset: true, challenges: true } as const;
const ONE_STRAY = { strays: 1, copies: 0 };
const ONE_COPY = { strays: 0, copies: 1 };
const TWO_COPIES = { strays: 0, copies: 2 };

export const QUESTIONS: readonly NamedQuestion[] = [
  {
    id: "last-ack-lost",
    claim: "Although an ACK may be lost, nobody who closed cleanly gets an error, and both ends reach CLOSED",
    source: "TIME-WAIT's first reason (RFC 9293 section 3.6; Stevens, UNIX Network Programming, section 2.7)",
    question: { ...USUAL, asks: ["error", "end"], endings: ["client first"], harms: [ONE_STRAY] },
  },
  {
    id: "old-duplicate",
    claim: "Data of one incarnation of a connection never reach another",
    source: "TIME-WAIT's second reason (RFC 9293 section 3.4.1; Stevens, section 2.7)",
    question: { ...USUAL, asks: ["foreign"], endings: ["client first", "client first"], harms: [ONE_STRAY, ONE_COPY] },
  },
  {
    id: "old-data",
    claim: "An old duplicate that ends a TIME-WAIT lets none of its connection's data into the next",
    source: "RFC 1337, hazard H1",
    question: { ...USUAL, asks: ["foreign"], endings: ["client first", "clean"], harms: [TWO_COPIES] },
  },
  {
    id: "endless-acks",
    claim: "The two ends never disagree for ever, with ACKs to and fro that come to no end",
    source: "RFC 1337, hazard H2",
    question: { ...USUAL, asks: ["rest"], endings: ["client first", "clean"], harms: [TWO_COPIES] },
  },
  {
    id: "new-connection-killed",
    claim: "No old duplicate ends the connection that comes after a TIME-WAIT",
    source: "RFC 1337, hazard H3",
    question: { ...USUAL, asks: ["error"], endings: ["client first", "clean"], harms: [TWO_COPIES] },
  },
  {
    id: "time-wait",
    claim:
      "Nobody who closed cleanly gets an error; data of one incarnation never reach another; every byte that was " +
      "accepted is delivered once, in order; and both ends reach CLOSED",
    source: "all that TIME-WAIT is for",
    question: {
      ...USUAL,
      asks: ["error", "foreign", "missing", "end"],
      endings: ["clean", "clean"],
      harms: [ONE_STRAY, TWO_COPIES],
    },
  },
];
