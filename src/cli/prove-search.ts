/** One question searched: what there is to find, and the trace of it. It says nothing to anybody. */
import { settingOf, type Question } from "../prove/question.ts";
import { ASSUMPTIONS, QUESTIONS, type NamedQuestion } from "../prove/questions.ts";
import { Search, type Found, type Progress } from "../prove/search.ts";
import { becauseOf } from "../prove/verdict.ts";
import type { Trace } from "../trace/trace.ts";
import { traceOf } from "../world/model/counterexample.ts";

/** What is to be searched. */
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

/** On so many processors, if it is worth it; until it is told to stop; and who hears how far it is. */
export interface Way {
  workers: number;
  signal: AbortSignal;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** How often it is told how far a search is. */
const TOLD_EVERY_MS = 250;
/** States that are looked at in one go. */
const AT_A_TIME = 1 << 14;
/** Threads start in the time in which some ten thousand states are looked at. */
const WORTH_HELP = 30_000;

export function questionOf(id: string): NamedQuestion | undefined {
  return QUESTIONS.find((candidate) => candidate.id === id);
}

async function goOn(search: Search, { workers, signal, onProgress }: Way): Promise<Found> {
  let helpers: AsyncDisposable | undefined;
  let toldAtMs = performance.now();
  try {
    for (;;) {
      const found = search.advance(AT_A_TIME);
      if (found) return found;
      const { progress } = search;
      if (workers > 1 && progress.distinct >= WORTH_HELP) helpers ??= await recruitFor(search, workers - 1);
      await new Promise(setImmediate); // signals are heard between two turns
      if (signal.aborted) return search.stop();
      if (performance.now() - toldAtMs < TOLD_EVERY_MS) continue;
      toldAtMs = performance.now();
      onProgress?.(progress);
    }
  } finally {
    await helpers?.[Symbol.asyncDispose]();
  }
}

async function recruitFor(search: Search, count: number): Promise<AsyncDisposable> {
  const { recruit } = await import("./prove-threads.ts");
  return recruit(search.shared!, count);
}

/** Searches until there is an answer, or until it is told to stop. The answer is the same with any number of workers. */
export async function searched({ id, question, memory }: Job, way: Way): Promise<Answer> {
  const setting = settingOf(question);
  const search = new Search(setting.system, memory);
  const found = await goOn(search, way);
  if (found.status !== "violated") return { found };
  const { counterexample } = found;
  const because = becauseOf(setting, counterexample);
  const dropped = ASSUMPTIONS.filter(({ isMade }) => !isMade(question)).map((one) => one.id);
  const title = dropped.length === 0 ? id : `${id}, without ${dropped.join(" and ")}`;
  const experiment = { id: `prove-${id}`, title, claims: [], article: questionOf(id)!.claim };
  return { found, because, trace: traceOf(setting, counterexample, experiment, because) };
}
