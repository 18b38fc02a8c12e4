import { readFileSync } from "node:fs";

export const CAP_NET_BIND_SERVICE = 10; // include/uapi/linux/capability.h

function statusText(): string {
  try {
    return readFileSync("/proc/self/status", "latin1");
  } catch {
    return "";
  }
}

/** True if this process has the capability in effect. Root of a user namespace has it for its own namespaces only. */
export function hasCapability(number: number): boolean {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(statusText())?.[1] ?? "0"}`);
  return ((effective >> BigInt(number)) & 1n) === 1n;
}
