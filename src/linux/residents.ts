/** The processes that live in a network namespace, and their end. */
import { readdirSync, statSync } from "node:fs";
import { Fd, pidfdOpen, pidfdSendSignal, poll, POLLIN, SyscallError } from "../sys/index.ts";

const SIGKILL = 9;
/** How long killed processes are waited for, milliseconds. */
const PATIENCE_MS = 10_000;

/** The processes whose network namespace has this inode (that of /proc/PID/ns/net). */
export function processesIn(namespace: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return statSync(`/proc/${pid}/ns/net`).ino === namespace;
      } catch {
        return false; // it has ended, or is another user's, who can't be in a namespace of ours
      }
    });
}

function kill(pid: number): Fd | undefined {
  try {
    const pidfd = pidfdOpen(pid);
    pidfdSendSignal(pidfd, SIGKILL);
    return pidfd;
  } catch (error) {
    if (error instanceof SyscallError && error.code === "ESRCH") return undefined;
    throw error;
  }
}

/** Ends every process that lives in one of these namespaces, also those that they start meanwhile. */
export function endAllIn(namespaces: readonly number[]): void {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const pids = namespaces.flatMap(processesIn).filter((pid) => pid !== process.pid);
    if (pids.length === 0) return;
    for (const pidfd of pids.map(kill).filter((pidfd) => pidfd !== undefined)) {
      poll([{ fd: pidfd, events: POLLIN }], Math.max(0, deadline - performance.now()));
      pidfd.close();
    }
    if (performance.now() > deadline) throw new Error(`processes ${pids.join(", ")} do not end`);
  }
}
