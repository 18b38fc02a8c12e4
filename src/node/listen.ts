import { EventEmitter } from "node:events";
import type { AddressInfo, ListenOptions, Server } from "node:net";
import { explain, type Explanation } from "../remedy/explanation.ts";
import { look } from "../remedy/look.ts";
import { BindWatch } from "../remedy/watch.ts";
import { refusedBind } from "./refused-bind.ts";
import { waitFor, WaitError, type PortStanding } from "./wait.ts";

/** @public */
export interface ServerListenOptions extends ListenOptions {
  port: number;
  /**
   * Waits for the port where what is in the way ends by itself, as a TIME-WAIT does: `true`, or not longer than so many
   * milliseconds.
   */
  wait?: boolean | number;
  /** Where the port is taken and not waited for, takes one of the next: `true`, or one of so many. */
  next?: boolean | number;
}

/** @public */
export interface ListeningEvents {
  /** The port is taken; what happens now is told by the next event. */
  taken: [explanation: Explanation];
  waiting: [standing: PortStanding];
  /** The next port is tried. */
  next: [port: number];
}

/** A server on its way to a port. @public */
export class Listening extends EventEmitter<ListeningEvents> {
  /** Where the server listens; rejected with listen's error, which has `lastack` if the port was taken. */
  readonly ready: Promise<AddressInfo>;

  /** @internal */
  constructor(server: Server, options: ServerListenOptions) {
    super();
    this.ready = this.#run(server, options);
  }

  async #run(server: Server, options: ServerListenOptions): Promise<AddressInfo> {
    const { wait = false, next = false, ...how } = options;
    const last = Math.min(65_535, how.port + (next === true ? 65_535 : Number(next)));
    await undefined; // whoever called can listen to the first event
    let { port } = how;
    for (let hurried = false; ;) {
      const error = await listenOnce(server, { ...how, port });
      if (!error) return server.address() as AddressInfo;
      if (error.code !== "EADDRINUSE") throw error;
      const watch = this.#explainTo(error, how);
      const limitMs = wait === true ? Number.POSITIVE_INFINITY : Number(wait);
      const waitedMs = watch && wait !== false ? await this.#waited(watch, limitMs, how.signal) : undefined;
      // Without having waited it is tried again once: what refuses the port may be in no list.
      if (waitedMs !== undefined && (waitedMs > 0 || !hurried)) {
        hurried = waitedMs === 0;
        continue;
      }
      if (port === last) throw error;
      hurried = false;
      this.emit("next", ++port);
    }
  }

  /** Gives the error what is known; returns how to wait for the port, or undefined where the kernel lets nobody look. */
  #explainTo(error: NodeJS.ErrnoException, options: ListenOptions): BindWatch | undefined {
    const refused = refusedBind(error, options);
    if (!refused) return undefined;
    const ask = { name: "this listen", request: refused.request };
    let lastack: Explanation;
    try {
      lastack = explain(look([ask], { probe: false, known: [refused] }));
    } catch {
      return undefined; // the refusal is the answer to the caller, not this
    }
    Object.defineProperty(error, "lastack", { configurable: true, enumerable: false, value: lastack });
    this.emit("taken", lastack);
    return new BindWatch([ask], { probe: false });
  }

  /** How long it took for what is in the way to end by itself; undefined if it does not, or not in time. */
  async #waited(watch: BindWatch, limitMs: number, signal: AbortSignal | undefined): Promise<number | undefined> {
    const untilMs = Date.now() + limitMs;
    const futile = new AbortController();
    const onWait = (standing: PortStanding) => {
      if ((standing.freeAtMs ?? Number.POSITIVE_INFINITY) < untilMs) this.emit("waiting", standing);
      else futile.abort();
    };
    try {
      const either = signal ? AbortSignal.any([signal, futile.signal]) : futile.signal;
      return await waitFor(watch, { timeoutMs: limitMs, signal: either, onWait });
    } catch (error) {
      if (futile.signal.aborted || error instanceof WaitError) return undefined;
      throw error;
    }
  }
}

/** undefined: it listens. A refusal is the caller's business: no `error` listener of the server hears of it. */
async function listenOnce(server: Server, options: ListenOptions): Promise<NodeJS.ErrnoException | undefined> {
  const own = Object.getOwnPropertyDescriptor(server, "emit");
  const { emit } = server;
  try {
    return await new Promise((resolve) => {
      const value = function (this: Server, event: string | symbol, ...values: unknown[]): boolean {
        if (event === "listening") resolve(undefined);
        if (event !== "error") return Reflect.apply(emit, this, [event, ...values]) as boolean;
        resolve(values[0] as NodeJS.ErrnoException);
        return true;
      };
      Object.defineProperty(server, "emit", { configurable: true, enumerable: false, writable: true, value });
      server.listen(options);
    });
  } finally {
    if (own) Object.defineProperty(server, "emit", own);
    else delete (server as Partial<Server>).emit;
  }
}

/**
 * Has a server listen, and waits out what ends by itself, or takes the next port, if asked. Told by events: `taken`,
 * `waiting`, `next`; `ready` is where it listens at last.
 *
 * @public
 */
export function listen(server: Server, options: ServerListenOptions): Listening {
  return new Listening(server, options);
}
