import { setTimeout as sleep } from "node:timers/promises";

/** Waits until `condition` gives something truthy, and returns that. Fails after `deadlineMs`. */
export async function until<T>(what: string, condition: () => T, deadlineMs = 15_000): Promise<NonNullable<T>> {
  for (const deadline = performance.now() + deadlineMs; ; await sleep(3)) {
    const value = condition();
    if (value) return value as NonNullable<T>;
    if (performance.now() > deadline) throw new Error(`waited ${deadlineMs / 1000} s for ${what}`);
  }
}
