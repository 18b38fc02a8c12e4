import { readFileSync } from "node:fs";

/** The value behind this name in a file of paired lines: names, then values. */
function find(text: string, name: string): number | undefined {
  const lines = text.split("\n");
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const column = lines[i]!.split(" ").indexOf(name, 1);
    if (column > 0) return Number(lines[i + 1]!.split(" ")[column]);
  }
  return undefined;
}

/**
 * A counter of the calling thread's network namespace by the kernel's name, as `nstat` shows them without prefix:
 * `PAWSEstab`, `OutRsts` (net/ipv4/proc.c). undefined if this kernel has none of that name.
 */
export function readCounter(name: string): number | undefined {
  for (const file of ["netstat", "snmp"]) {
    const value = find(readFileSync(`/proc/thread-self/net/${file}`, "latin1"), name);
    if (value !== undefined) return value;
  }
  return undefined;
}
