/** Who would start a process again when it has ended, or keeps something else alive with it. */
import type { HolderProcess } from "./facts.ts";

/** Programs that publish the ports of containers, and what they belong to. */
const ENGINES: ReadonlySet<string> = new Set([
  "docker-proxy",
  "dockerd",
  "rootlessport",
  "rootlesskit",
  "conmon",
  "containerd",
  "slirp4netns",
  "pasta",
  "pasta.avx2",
]);

export function isEngine({ program }: { program: string }): boolean {
  return ENGINES.has(program);
}

/** systemd, the system's or a user's. */
export function isServiceManager({ program, pid }: { program: string; pid: number }): boolean {
  return program === "systemd" || (pid === 1 && program === "init");
}

/**
 * Programs that start a child again when it ends. Those with a command have other children too, or would be started again
 * themselves; those without watch one program, and can be ended with it.
 */
const SUPERVISORS: Readonly<Record<string, readonly string[] | null>> = {
  nodemon: null,
  "node-dev": null,
  forever: null,
  pm2: ["pm2", "stop", "all"],
  supervisord: ["supervisorctl", "stop", "all"],
  runsv: ["sv", "status"],
  "s6-supervise": ["s6-svc", "-d"],
};

export interface Supervisor {
  pid: number;
  name: string;
  /** What stops the process for good; undefined: the supervisor may be ended. */
  command?: readonly string[];
}

/** The service manager or supervisor that would start this process again; undefined: none that is known. */
export function supervisorOf({ unit, parents }: HolderProcess): Supervisor | undefined {
  const [parent] = parents;
  // A unit is a process's own if systemd started it; a program run from a service's shell only lives in its cgroup.
  if (unit?.endsWith(".service") && parent?.program === "systemd") {
    const user = parent.pid === 1 ? [] : ["--user"];
    return { pid: parent.pid, name: unit, command: ["systemctl", ...user, "stop", unit] };
  }
  for (const { pid, program, script } of parents) {
    const name = [script, program].find(
      (candidate) => candidate !== undefined && Object.hasOwn(SUPERVISORS, candidate),
    );
    if (name === undefined) continue;
    const command = SUPERVISORS[name]!;
    return { pid, name, ...(command && { command }) };
  }
  return undefined;
}
