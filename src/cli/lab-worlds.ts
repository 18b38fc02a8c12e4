/** The worlds that experiments run in, as the command line asks for them. */
import { join } from "node:path";
import type { World } from "../lab/world.ts";
import { enterHome, NoNamespace } from "../world/kernel/home.ts";
import { KernelWorld } from "../world/kernel/kernel-world.ts";
import type { LinkKind } from "../world/kernel/port.ts";
import { ModelWorld } from "../world/model/model-world.ts";
import { applySetting, BadSetting } from "../world/model/setting-names.ts";
import { PLAIN, type ModelSettings } from "../world/model/settings.ts";
import { UsageError } from "./exit-status.ts";
import { runInUserNamespace, tellNoNamespace } from "./isolation.ts";
import { parseInteger } from "./values.ts";

export interface WorldOptions {
  on?: string;
  link?: string;
  set?: string[];
  seed?: string;
}

export const WORLD_OPTIONS = {
  on: { type: "string" },
  link: { type: "string" },
  set: { type: "string", multiple: true },
  seed: { type: "string" },
} as const;

const MAX_SEED = 2 ** 31 - 1;

function linkKind(link: string | undefined): LinkKind | undefined {
  if (link === undefined || link === "tun" || link === "veth") return link;
  throw new UsageError(`--link ${link}: expected tun or veth`);
}

/** Does what may find a setting bad: that is then the command line's fault. */
export function asUsage<T>(option: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof BadSetting || error instanceof RangeError) throw new UsageError(`${option} ${error.message}`);
    throw error;
  }
}

/** The model's settings as they are asked for. */
export function modelSettings({ link, set = [], seed }: WorldOptions): ModelSettings {
  if (linkKind(link)) throw new UsageError("--link is about the kernel: the model's wire has no device");
  const settings = set.reduce((all, given) => asUsage("--set", () => applySetting(all, given)), PLAIN);
  const name = [PLAIN.name, ...set].join(", ");
  return { ...settings, name, seed: seed === undefined ? PLAIN.seed : parseInteger(seed, "--seed", 0, MAX_SEED) };
}

/** What is asked of the model, and of no kernel. */
export function refuseModelOptions({ set, seed }: WorldOptions): void {
  if (set !== undefined || seed !== undefined) {
    throw new UsageError("--set and --seed go with --on model; an experiment sets the kernel's parameters itself");
  }
}

/** Makes a world for each run, by its number: 1, 2, …; or the exit status where there can be none. */
export function worldsFor(options: WorldOptions): ((run: number) => World) | number {
  const { on = "kernel", link } = options;
  if (on === "model") {
    const settings = modelSettings(options);
    return (run) => new ModelWorld({ ...settings, seed: settings.seed + run - 1 });
  }
  if (on !== "kernel") throw new UsageError(`--on ${on}: expected kernel or model`);
  refuseModelOptions(options);
  const kind = linkKind(link);
  try {
    enterHome();
  } catch (error) {
    if (!(error instanceof NoNamespace)) throw error;
    return runInUserNamespace() ?? tellNoNamespace();
  }
  const childScript = join(import.meta.dirname, "lab-process.cjs");
  return () => new KernelWorld({ childScript, ...(kind && { link: kind }) });
}
