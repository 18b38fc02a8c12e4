/** One question searched: what there is to find, and the trace of it. It says nothing to anybody. */
import { settingOf, type Question } from "../prove/question.ts";
import { ASSUMPTIONS, QUESTIONS, type NamedQuestion } from "../prove/questions.ts";
import { Search, type Found } from "../prove/search.ts";
import { becauseOf } from "../prove/verdict.ts";
import type { Trace } from "../trace/trace.ts";
import { traceOf } from "../world/model/counterexample.ts";

/** What is to be searched, as plain data: it may go to another thread. */
export interface Job {
  id: string;
  question: Question;
  /** Bytes. */
  memory: number;
}

export interface Verdict {
  named: NamedQuestion;
  question: Question;
  found: Found;
  /** What is wrong, and the way to it; of what does not hold only. */
  because?: string;
  trace?: Trace;
}

export type Answer = Pick<Verdict, "found" | "because" | "trace">;

/** How often it is told how far a search is. */
export const TOLD_EVERY_MS = 250;
/** States that are looked at in one go. */
const AT_A_TIME = 1 << 12;

export function questionOf(id: string): NamedQuestion | undefined {
  return QUESTIONS.find((candidate) => candidate.id === id);
}

/** Searches bit by bit, so that others have their turn; returns when done. */
export function* searching({ id, question, memory }: Job): Generator<Search, Answer, boolean> {
  const setting = settingOf(question);
  const search = new Search(setting.system, memory);
  let found: Found | undefined;
  while (!(found = search.advance(AT_A_TIME))) {
    if (yield search) found = search.stop();
    if (found) break;
  }
  if (found.status !== "violated") return { found };
  const { counterexample } = found;
  const because = becauseOf(setting, counterexample);
  const dropped = ASSUMPTIONS.filter(({ isMade }) => !isMade(question)).map((one) => one.id);
  const title = dropped.length === 0 ? id : `${id}, without ${dropped.join(" and ")}`;
  const experiment = { id: `prove-${id}`, title, claims: [], article: questionOf(id)!.claim };
  return { found, because, trace: traceOf(setting, counterexample, experiment, because) };
}
