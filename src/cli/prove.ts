/** `lastack prove`: what TIME-WAIT is for, by a search through all that two modelled hosts can come to. */
import { availableParallelism } from "node:os";
import type { Question } from "../prove/question.ts";
import { ASSUMPTIONS, QUESTIONS, type NamedQuestion } from "../prove/questions.ts";
import type { Found } from "../prove/search.ts";
import type { Trace } from "../trace/trace.ts";
import { EXIT, UsageError } from "./exit-status.ts";
import { Interruption } from "./interruption.ts";
import { parseOptions } from "./options.ts";
import { writeErr, writeOut } from "./output.ts";
import { Teller } from "./prove-progress.ts";
import { questionOf, searched, type Answer, type Verdict } from "./prove-search.ts";
import { comparison, verdictJson, verdictText } from "./prove-text.ts";
import { parseInteger } from "./values.ts";
import {
  checkPcapHost,
  checkViews,
  showTrace,
  takesOutput,
  VIEW_OPTIONS,
  writeFiles,
  type ViewOptions,
} from "./views.ts";

export const help = `lastack prove: what TIME-WAIT protects, and under which assumptions

Usage: lastack prove list [--json]
       lastack prove QUESTION [options]
       lastack prove PORT            why that port is in use: lastack why PORT

Two modelled hosts, those of 'lab run --on model', with a client and a server on them, and a network that loses, delays,
copies and reorders: every order of events within the bounds is tried, shortest ways first. The answer names the
assumptions that were made and the bounds; if it is no, it shows a shortest way to what must not be. docs/prove.md
tells what is asked and how to read the answer.

Options
      --time-wait N      how long TIME-WAIT lasts, in MSL: 2, less, or off
      --without A,...    without these assumptions: ${ASSUMPTIONS.map(({ id }) => id).join(", ")}
      --each             with all assumptions, and then without each of them alone
      --workers N        on how many processors it searches; on all, without. The answer is the same
      --strays N         how many segments may stray: arrive late, overtaken by others, or never
      --copies N         how many may leave a copy that strays
      --memory MB        how much the search may take for its states; 2000, without
      --json             the answer as JSON (docs/json.md)
      --trace FILE       the counterexample's trace (docs/trace.md), for 'lastack view'; '-' is standard output, and the verdict goes to standard error
      --svg, --html, --pcap, --pcap-host, --packetdrill, --width    as for 'lastack lab run'

Exit status: 0 it holds; 1 it does not, and a counterexample is shown; 2 the command line was not understood; 3 the memory
did not suffice; 130, 143 or 129 it was stopped by Ctrl-C, SIGTERM or SIGHUP.

Examples
  lastack prove last-ack-lost
  lastack prove last-ack-lost --time-wait off
  lastack prove old-duplicate --time-wait off --svg ladder.svg
  lastack prove time-wait --each
`;

interface ProveOptions extends Omit<ViewOptions, "json"> {
  json?: boolean;
  trace?: string;
  "time-wait"?: string;
  without?: string;
  each?: boolean;
  workers?: string;
  strays?: string;
  copies?: string;
  memory?: string;
}

const { json: _, ...VIEWS } = VIEW_OPTIONS;

const OPTIONS = {
  ...VIEWS,
  json: { type: "boolean" },
  trace: { type: "string" },
  "time-wait": { type: "string" },
  without: { type: "string" },
  each: { type: "boolean" },
  workers: { type: "string" },
  strays: { type: "string" },
  copies: { type: "string" },
  memory: { type: "string" },
} as const;

const MEMORY_MB = 2000;
/** More of them take longer than anybody waits. */
const HARM_MAX = 6;
const TIME_WAIT_MAX = 8;
const WORKERS_MAX = 64;

function list(json: boolean): number {
  if (json) {
    const questions = QUESTIONS.map(({ id, claim, source }) => ({ id, claim, source }));
    writeOut(`${JSON.stringify({ schema: 1, questions }, undefined, 2)}\n`);
    return EXIT.ok;
  }
  for (const { id, claim, source } of QUESTIONS) writeOut(`${id}\n    ${claim}.\n    ${source}\n`);
  return EXIT.ok;
}

function questionNamed(id: string): NamedQuestion {
  const named = questionOf(id);
  if (!named) throw new UsageError(`there is no question '${id}'; lastack prove list names them`);
  return named;
}

function assumptionNamed(id: string) {
  const assumption = ASSUMPTIONS.find((candidate) => candidate.id === id);
  if (!assumption) {
    throw new UsageError(`--without ${id}: expected ${ASSUMPTIONS.map((one) => one.id).join(", ")}`);
  }
  return assumption;
}

/** The question as the options have it. */
function asked({ question }: NamedQuestion, options: ProveOptions): Question {
  let result = question;
  for (const id of options.without?.split(",") ?? []) result = assumptionNamed(id).drop(result);
  const { "time-wait": timeWait, strays, copies } = options;
  if (timeWait !== undefined) {
    const msls = timeWait === "off" ? 0 : parseInteger(timeWait, "--time-wait", 0, TIME_WAIT_MAX);
    result = { ...result, timeWait: msls * result.msl };
  }
  if (strays === undefined && copies === undefined) return result;
  const count = (given: string | undefined, option: string) => parseInteger(given ?? "0", option, 0, HARM_MAX);
  return { ...result, harms: [{ strays: count(strays, "--strays"), copies: count(copies, "--copies") }] };
}

interface Limits {
  memory: number;
  workers: number;
  interruption: Interruption;
}

/** The answers to some questions, one after the other, until a signal comes. */
async function answersTo({ id }: NamedQuestion, questions: readonly Question[], limits: Limits): Promise<Answer[]> {
  const { memory, workers, interruption } = limits;
  const { signal } = interruption;
  const teller = new Teller(questions.length);
  const answers: Answer[] = [];
  try {
    for (const question of questions) {
      const answer = await searched({ id, question, memory }, { workers, signal, onProgress: teller.tell });
      answers.push(answer);
      teller.answered(answer.found);
      if (isStopped(answer.found)) break;
    }
    return answers;
  } finally {
    teller.end();
  }
}

const isStopped = (found: Found) => found.status === "unfinished" && found.why === "stopped";

function statusOf(found: Found, { status }: Interruption): number {
  if (found.status === "holds") return EXIT.ok;
  if (found.status === "violated") return EXIT.no;
  return isStopped(found) ? status! : EXIT.permission;
}

/** With all assumptions, then without each. */
async function each(named: NamedQuestion, options: ProveOptions, files: ViewOptions, limits: Limits): Promise<number> {
  const all = asked(named, options);
  const made = ASSUMPTIONS.filter(({ isMade }) => isMade(all));
  const questions = [all, ...made.map(({ drop }) => drop(all))];
  const answers = await answersTo(named, questions, limits);
  const verdicts = answers.map((answer, i): Verdict => ({ named, question: questions[i]!, ...answer }));
  const rows = verdicts.map((verdict, i) => (i === 0 ? { verdict } : { verdict, without: made[i - 1]!.id }));
  if (options.json) {
    writeOut(`${JSON.stringify({ schema: 1, verdicts: verdicts.map(verdictJson) }, undefined, 2)}\n`);
  } else {
    (takesOutput(files) ? writeErr : writeOut)(comparison(named, rows));
  }
  await writeTraces(
    verdicts.flatMap(({ trace }) => trace ?? []),
    files,
  );
  const unfinished = verdicts.find(({ found }) => found.status === "unfinished");
  return statusOf((unfinished ?? verdicts[0]!).found, limits.interruption);
}

async function writeTraces(traces: readonly Trace[], files: ViewOptions): Promise<void> {
  if (traces.length > 0) await writeFiles(traces, files);
}

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseOptions({ args, allowPositionals: true, options: OPTIONS });
  const options: ProveOptions = values;
  const [id, more] = positionals;
  if (id === undefined || more !== undefined)
    throw new UsageError("prove takes one question; lastack prove list names them");
  if (id === "list") return list(options.json ?? false);
  const named = questionNamed(id);
  const { json: _json, trace, ...views } = options;
  const files: ViewOptions = { ...views, ...(trace !== undefined && { json: trace }) };
  checkViews(files, options.each ? ASSUMPTIONS.length : 1);
  checkPcapHost(views, ["client", "server"]);
  const isTaken = takesOutput(files);
  if (options.json && isTaken) throw new UsageError("--json is standard output: the files can't be there too");
  const memory = parseInteger(options.memory ?? String(MEMORY_MB), "--memory", 1, 100_000) * 1e6;
  const workers = parseInteger(options.workers ?? String(availableParallelism()), "--workers", 1, WORKERS_MAX);
  using interruption = new Interruption();
  const limits = { memory, workers, interruption };
  if (options.each) return await each(named, options, files, limits);
  const question = asked(named, options);
  const [answer] = await answersTo(named, [question], limits);
  const verdict: Verdict = { named, question, ...answer! };
  if (!options.json && !isTaken && verdict.trace) showTrace(verdict.trace, views);
  if (options.json) writeOut(`${JSON.stringify(verdictJson(verdict), undefined, 2)}\n`);
  else (isTaken ? writeErr : writeOut)(verdictText(verdict));
  await writeTraces(verdict.trace ? [verdict.trace] : [], files);
  return statusOf(verdict.found, interruption);
}
