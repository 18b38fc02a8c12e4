/** `lastack lab run ID --on model --sweep NAME=FROM..TO`: how often an experiment goes wrong as a setting changes. */
import type { Experiment } from "../lab/experiment.ts";
import { runPoint, sweepValues, type SweepPoint } from "../lab/sweep.ts";
import { ModelWorld } from "../world/model/model-world.ts";
import { BadSetting, isLeftToChance, readValue, settingNamed } from "../world/model/setting-names.ts";
import type { ModelSettings } from "../world/model/settings.ts";
import { toJson } from "../view/escape.ts";
import { drawPlot, type Plot } from "../view/plot.ts";
import { EXIT, UsageError } from "./exit-status.ts";
import { asUsage, modelSettings, type WorldOptions } from "./lab-worlds.ts";
import { writeOut } from "./output.ts";
import { takesOutput, terminalStyle, writeFile, type ViewOptions } from "./views.ts";

export interface SweepOptions extends ViewOptions, WorldOptions {
  sweep: string;
}

/** How often each value is tried where chance plays a part; elsewhere once tells all. */
const RUNS = 50;
/** Into how many steps a range is cut that names none. */
const STEPS = 10;
const MAX_POINTS = 1000;

interface Sweep {
  setting: ReturnType<typeof settingNamed>;
  name: string;
  values: number[];
}

/** `msl=0..4s` or `msl=0..4s/500ms`. */
function parseSweep(text: string): Sweep {
  const match = /^([^=]+)=(.+?)\.\.([^/]+)(?:\/(.+))?$/.exec(text);
  if (!match) throw new BadSetting(`${text}: expected NAME=FROM..TO or NAME=FROM..TO/STEP`);
  const [, name, first, last, size] = match as unknown as [string, string, string, string, string?];
  const setting = settingNamed(name);
  const [from, to] = [readValue(setting, name, first), readValue(setting, name, last)];
  if (to <= from) throw new BadSetting(`${text}: ${last} is not above ${first}`);
  const step = size === undefined ? (to - from) / STEPS : readValue(setting, name, size);
  if (step <= 0 || (to - from) / step > MAX_POINTS) throw new BadSetting(`${text}: at most ${MAX_POINTS} steps`);
  return { setting, name, values: sweepValues(from, to, step) };
}

function plotOf(experiment: Experiment, sweep: Sweep, settings: ModelSettings, points: readonly SweepPoint[]): Plot {
  const runs = points[0]!.runs;
  const seeds = runs > 1 ? `seeds ${settings.seed} to ${settings.seed + runs - 1}` : `seed ${settings.seed}`;
  return {
    title: `${experiment.title}: how often it goes wrong`,
    setting: sweep.name,
    conditions: `${experiment.id}, in the model, ${settings.name}; ${seeds}`,
    points: points.map(({ value, wrong, reasons, runs: count }) => ({
      label: sweep.setting.kind.write(value),
      runs: count,
      wrong,
      ...(reasons[0] && { reason: reasons[0].reason }),
    })),
  };
}

function document(experiment: Experiment, { name, setting }: Sweep, { seed }: ModelSettings, options: SweepOptions) {
  return (points: readonly SweepPoint[]) => ({
    schema: 1,
    experiment: experiment.id,
    world: "model",
    set: options.set ?? [],
    seed,
    setting: name,
    points: points.map((point) => ({ ...point, text: setting.kind.write(point.value) })),
  });
}

function refuseOthers({ html, pcap, packetdrill, on }: SweepOptions): void {
  if (on !== "model") throw new UsageError("--sweep goes with --on model");
  if (html !== undefined || pcap !== undefined || packetdrill) {
    throw new UsageError("--sweep draws a plot: on the terminal, with --svg, and as --json");
  }
}

export async function runSweep(
  experiments: readonly Experiment[],
  times: number | undefined,
  options: SweepOptions,
): Promise<number> {
  refuseOthers(options);
  const [experiment, more] = experiments;
  if (!experiment || more) throw new UsageError("--sweep takes one experiment");
  const settings = modelSettings(options);
  const sweep = asUsage("--sweep", () => parseSweep(options.sweep));
  const points = sweep.values.map((value) => {
    const all = sweep.setting.apply(settings, value);
    const runs = times ?? (isLeftToChance(all) || isLeftToChance(settings) ? RUNS : 1);
    return runPoint(experiment, value, runs, (run) => new ModelWorld({ ...all, seed: settings.seed + run - 1 }));
  });
  const plot = plotOf(experiment, sweep, settings, points);
  const json = `${toJson(document(experiment, sweep, settings, options)(points), 1)}\n`;
  if (!takesOutput(options)) writeOut(drawPlot(plot, terminalStyle(options)));
  if (options.json !== undefined) writeFile(options.json, json);
  if (options.svg !== undefined) {
    const { drawPlotSvg } = await import("../view/svg/plot.ts");
    writeFile(options.svg, drawPlotSvg(plot));
  }
  return EXIT.ok;
}
