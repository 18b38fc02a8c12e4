import { statSync } from "node:fs";

/** With so many processes, the kernel's own among them, the kernel's iterator finds holders faster than /proc. */
const MANY = 250;

/** True on a host with many processes: how many there are, the links of /proc tell (fs/proc/root.c, proc_root_getattr). */
export function isCrowded(): boolean {
  return (statSync("/proc", { throwIfNoEntry: false })?.nlink ?? 0) > MANY;
}
