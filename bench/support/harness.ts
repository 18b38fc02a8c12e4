/** Runs commands in turn and compares them pair by pair, so that what the machine does beside cancels out. */
import { spawnSync } from "node:child_process";

export interface Timing {
  /** Wall times of the whole process, milliseconds, in the order of the runs. */
  ms: number[];
}

function once(command: readonly string[]): number {
  const start = performance.now();
  const { status, error, signal } = spawnSync(command[0]!, command.slice(1), { stdio: ["ignore", "ignore", "ignore"] });
  if (error) throw error;
  if (signal) throw new Error(`${command.join(" ")} died of ${signal}`);
  if (status !== 0 && status !== 1) throw new Error(`${command.join(" ")} ended with ${status}`);
  return performance.now() - start;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * How this thread, and what it starts from then on, is scheduled: before all others (SCHED_FIFO), or as usual. What else the
 * machine does has to wait then. Takes root; without, nothing changes.
 */
function goFirst(first: boolean): void {
  const policy = first ? ["--fifo", "--pid", "1"] : ["--other", "--pid", "0"];
  spawnSync("chrt", [...policy, String(process.pid)], { stdio: "ignore" });
}

/** Times two commands, A B B A A B B A …, after one run of each that does not count. */
export function paired(a: readonly string[], b: readonly string[], runs: number): [Timing, Timing] {
  goFirst(true);
  try {
    once(a);
    once(b);
    const times: [Timing, Timing] = [{ ms: [] }, { ms: [] }];
    for (let i = 0; i < runs; i++) {
      for (const which of i % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
        times[which].ms.push(once(which === 0 ? a : b));
      }
    }
    return times;
  } finally {
    goFirst(false);
  }
}

/** How far the middle half of the values lies apart, in parts of their median. */
function spread(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.floor(part * (sorted.length - 1))]!;
  return (at(0.75) - at(0.25)) / median(sorted);
}

const CALM = 0.08;
const ATTEMPTS = 8;

/**
 * Like {@link paired}, again while the machine is busy with something else, of which `b` tells, being always the same:
 * until its times lie close together, or else those of the calmest attempt.
 */
export function pairedInCalm(a: readonly string[], b: readonly string[], runs: number): [Timing, Timing] {
  let calmest = paired(a, b, runs);
  for (let attempt = 1; attempt < ATTEMPTS && spread(calmest[1].ms) > CALM; attempt++) {
    const again = paired(a, b, runs);
    if (spread(again[1].ms) < spread(calmest[1].ms)) calmest = again;
  }
  return calmest;
}

/** The median of the ratios of the pairs. */
export function ratio([a, b]: readonly [Timing, Timing]): number {
  return median(a.ms.map((ms, i) => ms / b.ms[i]!));
}

/** The median of the differences of the pairs, milliseconds. */
export function difference([a, b]: readonly [Timing, Timing]): number {
  return median(a.ms.map((ms, i) => ms - b.ms[i]!));
}
