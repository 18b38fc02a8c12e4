import { prctl, PR_SET_PDEATHSIG } from "../sys/index.ts";

const SIGKILL = 9;

/**
 * Has the kernel end this process when the thread that started it ends, however that ends: a process that blocks in a
 * system call would not notice. `parent`: who that is, where it is known.
 */
export function dieWithParent(parent = process.ppid): void {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // It may have gone before the kernel was asked.
  if (process.ppid !== parent) process.kill(process.pid, "SIGKILL");
}
