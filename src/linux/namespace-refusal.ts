/** Why this system grants a user no namespace, and what would. */
import { readFileSync } from "node:fs";

export interface NamespaceRefusal {
  /** What refuses it. */
  reason: string;
  /** The command that would grant it; undefined where that can't be told from here. */
  remedy?: string;
}

interface Setting {
  parameter: string;
  refuses: (value: number) => boolean;
  grant: string;
}

const SETTINGS: readonly Setting[] = [
  // Ubuntu 23.10 and later
  {
    parameter: "kernel.apparmor_restrict_unprivileged_userns",
    refuses: (value) => value === 1,
    grant: "kernel.apparmor_restrict_unprivileged_userns=0",
  },
  // Debian's own, until Debian 11
  {
    parameter: "kernel.unprivileged_userns_clone",
    refuses: (value) => value === 0,
    grant: "kernel.unprivileged_userns_clone=1",
  },
  {
    parameter: "user.max_user_namespaces",
    refuses: (value) => value === 0,
    grant: "user.max_user_namespaces=10000",
  },
  {
    parameter: "user.max_net_namespaces",
    refuses: (value) => value === 0,
    grant: "user.max_net_namespaces=10000",
  },
];

function numberIn(path: string): number | undefined {
  try {
    return Number(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** True if a seccomp filter is on this process, as container engines put one. */
export function isFiltered(): boolean {
  return /^Seccomp:\s*2$/m.test(readFileSync("/proc/self/status", "utf8"));
}

/** What stands in the way of making a namespace, found in the settings that can. */
export function namespaceRefusal(): NamespaceRefusal {
  for (const { parameter, refuses, grant } of SETTINGS) {
    const value = numberIn(`/proc/sys/${parameter.replaceAll(".", "/")}`);
    if (value !== undefined && refuses(value)) {
      return { reason: `${parameter} is ${value}`, remedy: `sudo sysctl -w ${grant}` };
    }
  }
  if (isFiltered()) {
    return {
      reason: "a seccomp filter is on this process, as container engines put one",
      remedy: "docker run --cap-add SYS_ADMIN --security-opt seccomp=unconfined ...",
    };
  }
  return { reason: "it is not permitted to this user, and no setting that is known here says why" };
}
