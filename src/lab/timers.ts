import type { Socket } from "./process.ts";

/** What is left of a socket's timer as last seen, to the nearest second; undefined if none runs. */
export function secondsLeft({ timer }: Socket): number | undefined {
  return timer && Math.round(timer.leftMs / 1000);
}
