import { waitUntil } from "../remedy/wait.ts";
import { BindWatch, OpenWatch, type Standing, type Watch } from "../remedy/watch.ts";
import { asksOf, endpointOf, type Where } from "./where.ts";

/** How a port stands while it is waited for. @public */
export interface PortStanding {
  port: number;
  /** In one line; it holds names that others chose. */
  headline: string;
  /** When what is in the way is over by itself, milliseconds since 1970; absent: nobody knows. */
  freeAtMs?: number;
}

/** @public */
export interface WaitOptions {
  /** Waits until somebody listens, with room for a connection, instead; nobody connects to find out. */
  open?: boolean;
  /** Absent: no limit. */
  timeoutMs?: number;
  /** Aborted: the promise is rejected with its reason. */
  signal?: AbortSignal;
  /** Makes one bind where an option decides that nobody can read (a TIME-WAIT's SO_REUSEADDR). By default true. */
  probe?: boolean;
  /** At first, and when what is in the way has changed. */
  onWait?: (standing: PortStanding) => void;
}

/** The time was over, or waiting does not help. @public */
export class WaitError extends Error {
  override readonly name = "WaitError";
  constructor(
    readonly standing: PortStanding,
    /** ETIMEDOUT, or EACCES: a permission is missing, which does not come by waiting. */
    readonly code: "ETIMEDOUT" | "EACCES",
  ) {
    super(standing.headline);
  }
}

const toStanding = ({ port, headline, freeAtMs }: Standing): PortStanding => ({
  port,
  headline,
  ...(freeAtMs !== undefined && { freeAtMs }),
});

/** Waits for what is watched. */
export async function waitFor(watch: Watch, options: Omit<WaitOptions, "open" | "probe">): Promise<number> {
  const { timeoutMs, signal, onWait } = options;
  let told: string | undefined;
  const onLook = ([standing]: readonly Standing[]) => {
    const { answer, cause } = standing!;
    if (answer !== "waiting" || cause === told) return;
    told = cause;
    onWait?.(toStanding(standing!));
  };
  const { outcome, standings, waitedMs } = await waitUntil([watch], { timeoutMs, signal, onLook });
  if (outcome === "reached") return waitedMs;
  throw new WaitError(toStanding(standings[0]!), outcome === "timeout" ? "ETIMEDOUT" : "EACCES");
}

/**
 * Until a port can be bound, or with `open` until somebody listens there: what `lastack wait` does. It sleeps until the
 * moment that the sockets' timers predict, and binds nothing in between. Resolves with the milliseconds that it took, 0 if
 * there was nothing to wait for; rejected with {@link WaitError}.
 *
 * @public
 */
export async function waitForPort(where: number | Where, options: WaitOptions = {}): Promise<{ waitedMs: number }> {
  const { open = false, probe = true, ...how } = options;
  const watch = open ? new OpenWatch(endpointOf(where)) : new BindWatch(asksOf(where), { probe });
  return { waitedMs: await waitFor(watch, how) };
}
