/** What a search has found, in words. */
import { seeSockets } from "../host/index.ts";
import { LENGTH } from "./programs.ts";
import type { Question, Setting } from "./question.ts";
import { NO_END, type Counterexample } from "./search.ts";
import type { Harm } from "./two-hosts.ts";

const NUMBERS = ["no", "one", "two", "three", "four", "five", "six"];
const inWords = (n: number) => NUMBERS[n] ?? String(n);

function harmInWords({ strays, copies }: Harm): string {
  const parts: string[] = [];
  if (strays > 0) parts.push(`${inWords(strays)} may stray (arrive late, overtaken, or never)`);
  if (copies > 0) parts.push(`${inWords(copies)} may leave a copy that strays`);
  return parts.length === 0 ? "none strays" : parts.join(" and ");
}

/** How much is looked at: within these bounds all of it is. */
export function boundsOf({ endings, msl, timeWait, harms }: Question): string[] {
  const incarnations =
    endings.length === 1 ? "one connection" : `${inWords(endings.length)} incarnations of one connection`;
  return [
    `a client and a server, ${incarnations}, ${LENGTH} bytes each way; their calls come at any time`,
    `of all segments ${harms.map(harmInWords).join("; or ")}; all others arrive in order, before time goes by`,
    `MSL is ${msl} ticks, and a segment arrives before it is over, if at all; TIME-WAIT is ${timeWait}, each retransmission timeout 2`,
    "initial numbers go back by what is sent, so that old segments fit, but none is used twice",
  ];
}

/** What is wrong at the end of a counterexample. */
export function becauseOf({ system, names, question }: Setting, { because, initial, steps }: Counterexample): string {
  if (because !== NO_END) return because;
  const last = steps.at(-1)?.state ?? initial;
  const ends = ([0, 1] as const).map((i) => {
    const { host } = system.sides[i].host(last[i]!);
    const states = [...seeSockets(host)].filter(({ state }) => state !== "LISTEN").map(({ state }) => state);
    return `the ${names[i]} ${states.length === 0 ? "has no connection" : `is in ${states.join(" and ")}`}`;
  });
  if (!question.asks.includes("rest")) return `${ends.join(", ")}, for ever`;
  return `${ends.join(", ")}; what the one sends draws an answer from the other, without end`;
}
