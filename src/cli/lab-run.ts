/** `lastack lab run`. */
import { CATALOGUE } from "../lab/catalogue/index.ts";
import type { Experiment } from "../lab/experiment.ts";
import { restartOf } from "../lab/restart-program.ts";
import { hostNames, runExperiment } from "../lab/run.ts";
import type { World } from "../lab/world.ts";
import type { Trace } from "../trace/trace.ts";
import { escapeForTerminal } from "../view/escape.ts";
import { drawSummary } from "../view/summary.ts";
import { EXIT, UsageError } from "./exit-status.ts";
import { endWithFirstRun, SECOND_RUN } from "./isolation.ts";
import { experimentNamed } from "./lab.ts";
import { WORLD_OPTIONS, worldsFor, type WorldOptions } from "./lab-worlds.ts";
import { parseOptions } from "./options.ts";
import { writeErr, writeOut } from "./output.ts";
import { isErrTerminal, terminalColumns } from "./terminal.ts";
import { parseInteger } from "./values.ts";
import {
  checkPcapHost,
  checkViews,
  showTrace,
  takesOutput,
  terminalStyle,
  VIEW_OPTIONS,
  writeFiles,
  type ViewOptions,
} from "./views.ts";

interface RunOptions extends ViewOptions, WorldOptions {
  sweep?: string;
  all?: boolean;
  server?: string;
  repeat?: string;
}

function chosen(ids: readonly string[], { all, server }: RunOptions): readonly Experiment[] {
  if (all && ids.length > 0) throw new UsageError("either --all or the ids of experiments");
  if (server !== undefined) {
    if (all || ids.length !== 1 || ids[0] !== "restart") throw new UsageError("--server goes with lab run restart");
    return [restartOf(server)];
  }
  if (all) return CATALOGUE;
  if (ids.length === 0) throw new UsageError("run what? the ids of experiments, or --all");
  return ids.map(experimentNamed);
}

function exitStatus(traces: readonly Trace[], isServer: boolean): number {
  const failed = traces.some(({ outcome }) => outcome.status === "failed");
  const refuted = traces.some(({ outcome }) => outcome.status === "done" && outcome.verdict.holds === "no");
  if (failed || (isServer && refuted)) return EXIT.no;
  return traces.every(({ outcome }) => outcome.status === "not run") ? EXIT.permission : EXIT.ok;
}

/** One line on standard error that is written over and over, where that is a terminal. */
function progress(text: string): void {
  if (isErrTerminal()) writeErr(`\r\x1b[K${escapeForTerminal(text).slice(0, terminalColumns() ?? 80)}`);
}

/** Makes a world for one run. */
type NewWorld = (run: number) => World;

/** Runs one experiment so many times. The traces are few: the first that failed, or else the last. */
async function repeat(experiment: Experiment, times: number, newWorld: NewWorld): Promise<[Trace, number]> {
  let kept: Trace | undefined;
  let met = 0;
  for (let i = 1; i <= times; i++) {
    const head = times > 1 ? `${experiment.id}, ${i} of ${times}` : experiment.id;
    const world = newWorld(i);
    world.recorder.onNote = (text) => progress(`${head}: ${text}`);
    const trace = runExperiment(experiment, world);
    if (trace.outcome.status === "done") met++;
    if (kept?.outcome.status !== "failed") kept = trace;
    await new Promise(setImmediate); // Node waits for the processes that have ended
  }
  progress("");
  return [kept!, met];
}

async function runAll(
  experiments: readonly Experiment[],
  times: number,
  newWorld: NewWorld,
  options: RunOptions,
): Promise<Trace[]> {
  const idWidth = Math.max(...experiments.map(({ id }) => id.length));
  const { width, ...style } = terminalStyle(options);
  const isFitted = options.width !== undefined || terminalColumns() !== undefined; // else a run is a line
  const traces: Trace[] = [];
  for (const experiment of experiments) {
    const [trace, met] = await repeat(experiment, times, newWorld);
    traces.push(trace);
    if (takesOutput(options)) continue;
    if (times > 1) {
      writeOut(`${experiment.id}: the expectations held ${met} of ${times} times\n`);
      if (met < times) showTrace(trace, options);
    } else if (experiments.length > 1) {
      writeOut(`${drawSummary(trace, { ...style, ...(isFitted && { width }), idWidth })}\n`);
      if (trace.outcome.status === "failed") showTrace(trace, options);
    } else {
      showTrace(trace, options);
    }
  }
  return traces;
}

/** The last line of many: how many held. */
function tally(traces: readonly Trace[]): string {
  const count = (test: (trace: Trace) => boolean) => traces.filter(test).length;
  const verdict = (holds: string) =>
    count(({ outcome }) => outcome.status === "done" && outcome.verdict.holds === holds);
  const parts = [
    `${verdict("yes")} claims hold`,
    `${verdict("partly")} hold with a condition`,
    `${verdict("no")} do not hold ${traces[0]?.world === "model" ? "in the model" : "on this kernel"}`,
  ];
  const failed = count(({ outcome }) => outcome.status === "failed");
  const notRun = count(({ outcome }) => outcome.status === "not run");
  if (failed > 0) parts.push(`${failed} failed`);
  if (notRun > 0) parts.push(`${notRun} not run`);
  return `${traces.length} experiments: ${parts.join(", ")}`;
}

export async function runLab(args: string[]): Promise<number> {
  const { values, positionals } = parseOptions({
    args,
    allowPositionals: true,
    options: {
      ...VIEW_OPTIONS,
      all: { type: "boolean" },
      server: { type: "string" },
      repeat: { type: "string" },
      ...WORLD_OPTIONS,
      sweep: { type: "string" },
      ...SECOND_RUN,
    },
  });
  endWithFirstRun(values);
  const options = values as RunOptions;
  const experiments = chosen(positionals, options);
  const { repeat: given, sweep } = options;
  const times = given === undefined ? undefined : parseInteger(given, "--repeat", 1, 100_000);
  checkViews(options, experiments.length);
  checkPcapHost(options, hostNames(experiments[0]!)); // a capture is of one experiment
  if (sweep !== undefined) return (await import("./lab-sweep.ts")).runSweep(experiments, times, { ...options, sweep });
  const newWorld = worldsFor(options);
  if (typeof newWorld === "number") return newWorld;
  const traces = await runAll(experiments, times ?? 1, newWorld, options);
  await writeFiles(traces, options);
  if (experiments.length > 1 && !takesOutput(options)) writeOut(`\n${tally(traces)}\n`);
  return exitStatus(traces, options.server !== undefined);
}
