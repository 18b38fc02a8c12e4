/** Runs a command where it may make network namespaces: as it is, or as root of a user namespace of its own. */
import { spawnSync } from "node:child_process";
import { userNamespaceCommand } from "../linux/namespace.ts";
import { namespaceRefusal } from "../linux/namespace-refusal.ts";
import { asRoot } from "./as-root.ts";
import { EXIT } from "./exit-status.ts";
import { writeErr } from "./output.ts";

/** Tells the second run, as root of a user namespace, not to try for one again. */
export const INSIDE = "--inside-user-namespace";

/**
 * Runs this very command line again as root of a user namespace. Returns its exit status; undefined where this system
 * grants none, or where this is that run.
 */
export function runInUserNamespace(): number | undefined {
  const [, script, ...args] = process.argv;
  if (args.includes(INSIDE)) return undefined;
  const command = userNamespaceCommand();
  if (!command) return undefined;
  const all = [...command.slice(1), process.execPath, script!, ...args, INSIDE];
  const { status, signal } = spawnSync(command[0]!, all, { stdio: "inherit" });
  if (signal !== null) process.kill(process.pid, signal);
  return status ?? EXIT.internal;
}

/** Says why there is no namespace, and what would grant one. Returns the exit status. */
export function tellNoNamespace(): number {
  const { reason, remedy } = namespaceRefusal();
  writeErr(`lastack: the lab needs network namespaces, and the kernel grants none: ${reason}\n`);
  if (remedy) writeErr(`To grant them:\n  ${remedy}\n`);
  writeErr(`Or run it as root, which touches nothing of the host either:\n  ${asRoot()}\n`);
  return EXIT.permission;
}
