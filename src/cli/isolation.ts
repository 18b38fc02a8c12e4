/** Runs a command where it may make network namespaces: as it is, or as root of a user namespace of its own. */
import { spawnSync } from "node:child_process";
import { userNamespaceCommand } from "../linux/namespace.ts";
import { dieWithParent } from "../linux/parent.ts";
import { namespaceRefusal } from "../linux/namespace-refusal.ts";
import { asRoot } from "./as-root.ts";
import { EXIT } from "./exit-status.ts";
import { writeErr } from "./output.ts";

const INSIDE = "inside-user-namespace";

/** Tells the second run, as root of a user namespace, not to try for one again, and which process is the first. */
export const SECOND_RUN = { [INSIDE]: { type: "string" } } as const;

/** The second run does not outlive the first, which may be killed and then can't end it. */
export function endWithFirstRun(values: { [INSIDE]?: string }): void {
  if (values[INSIDE] !== undefined) dieWithParent(Number(values[INSIDE]));
}

/**
 * Runs this very command line again as root of a user namespace. Returns its exit status; undefined where this system
 * grants none, or where this is that run.
 */
export function runInUserNamespace(): number | undefined {
  const [, script, ...args] = process.argv;
  if (args.some((word) => word.startsWith(`--${INSIDE}=`))) return undefined;
  const command = userNamespaceCommand();
  if (!command) return undefined;
  // The program that makes the namespace becomes the second run: this process is its parent.
  const own = args.includes("--") ? args.indexOf("--") : args.length;
  const again = [process.execPath, script!, ...args.toSpliced(own, 0, `--${INSIDE}=${process.pid}`)];
  const { status, signal } = spawnSync(command[0]!, [...command.slice(1), ...again], { stdio: "inherit" });
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
