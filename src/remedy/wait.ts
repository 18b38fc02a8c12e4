/** Waits until ports are as wanted: sleeps until the moment that is predicted, and looks at a bounded pace. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Standing, Watch } from "./watch.ts";

/** Between two looks at a port of which nobody knows when it is free. */
const [LEAST_PAUSE_MS, MOST_PAUSE_MS] = [20, 250];
/** Also until a predicted moment: what is predicted can come earlier. */
const MOST_SLEEP_MS = 1000;
/** A pause is this many times what a look has cost, and this part of the time waited so far. */
const [TIMES_COST, PART_OF_WAITED] = [100, 100];

export interface WaitOptions {
  /** Milliseconds; absent: no limit. */
  timeoutMs?: number | undefined;
  /** Aborted: the promise is rejected with its reason. */
  signal?: AbortSignal | undefined;
  /** After each look. */
  onLook?: ((standings: readonly Standing[]) => void) | undefined;
}

export interface Waited {
  /** `reached`: all at once; `hopeless`: one of them never will be, by waiting. */
  outcome: "reached" | "timeout" | "hopeless";
  /** The last look. */
  standings: readonly Standing[];
  /** Since the first look: 0 if that was enough. */
  waitedMs: number;
}

function pauseMs(standings: readonly Standing[], costMs: number, waitedMs: number): number {
  const nowMs = Date.now();
  const ends = standings.filter(({ answer }) => answer === "waiting").map(({ freeAtMs }) => freeAtMs);
  const predicted = ends.every((end) => end !== undefined) ? Math.max(...ends) : undefined;
  if (predicted !== undefined && predicted > nowMs) return Math.min(predicted - nowMs, MOST_SLEEP_MS);
  // Beyond the moment it is due at any time: the kernel rounds its long timers up (kernel/time/timer.c).
  const backedOff = predicted === undefined ? waitedMs / PART_OF_WAITED : 0;
  const pause = Math.max(LEAST_PAUSE_MS, TIMES_COST * costMs, Math.min(backedOff, MOST_PAUSE_MS));
  return Math.min(pause, MOST_SLEEP_MS);
}

/** Waits until all of these are reached at one look. */
export async function waitUntil(watches: readonly Watch[], options: WaitOptions = {}): Promise<Waited> {
  const { timeoutMs = Number.POSITIVE_INFINITY, signal, onLook } = options;
  let startedMs: number | undefined;
  for (let costMs = 0, lastCostMs = 0; ; lastCostMs = costMs) {
    signal?.throwIfAborted();
    const beganMs = performance.now();
    const standings = watches.map((watch) => watch.look());
    onLook?.(standings);
    const nowMs = performance.now();
    startedMs ??= nowMs;
    const waitedMs = nowMs - startedMs;
    costMs = nowMs - beganMs;
    const done = (outcome: Waited["outcome"]): Waited => ({ outcome, standings, waitedMs });
    if (standings.every(({ answer }) => answer === "reached")) return done("reached");
    if (standings.some(({ answer }) => answer === "hopeless")) return done("hopeless");
    if (waitedMs >= timeoutMs) return done("timeout");
    // The first look, or one after a change, costs more than those that follow.
    const pause = Math.min(pauseMs(standings, Math.min(costMs, lastCostMs), waitedMs), timeoutMs - waitedMs);
    try {
      await sleep(Math.ceil(pause), undefined, { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  }
}
