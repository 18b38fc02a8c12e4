/** The worlds that experiments run in, as the command line asks for them. */
import { join } from "node:path";
import type { World } from "../lab/world.ts";
import { enterHome, NoNamespace } from "../world/kernel/home.ts";
import { KernelWorld } from "../world/kernel/kernel-world.ts";
import type { LinkKind } from "../world/kernel/port.ts";
import { ModelWorld } from "../world/model/model-world.ts";
import { UsageError } from "./exit-status.ts";
import { runInUserNamespace, tellNoNamespace } from "./isolation.ts";

export interface WorldOptions {
  on?: string;
  link?: string;
}

export const WORLD_OPTIONS = { on: { type: "string" }, link: { type: "string" } } as const;

function linkKind(link: string | undefined): LinkKind | undefined {
  if (link === undefined || link === "tun" || link === "veth") return link;
  throw new UsageError(`--link ${link}: expected tun or veth`);
}

/** Makes a world for each run, by its number; or the exit status where there can be none. */
export function worldsFor({ on = "kernel", link }: WorldOptions): ((run: number) => World) | number {
  const kind = linkKind(link);
  if (on === "model") {
    if (kind) throw new UsageError("--link is about the kernel: the model's wire has no device");
    return () => new ModelWorld();
  }
  if (on !== "kernel") throw new UsageError(`--on ${on}: expected kernel or model`);
  try {
    enterHome();
  } catch (error) {
    if (!(error instanceof NoNamespace)) throw error;
    return runInUserNamespace() ?? tellNoNamespace();
  }
  const childScript = join(import.meta.dirname, "lab-process.cjs");
  return () => new KernelWorld({ childScript, ...(kind && { link: kind }) });
}
