/**
 * `node --import lastack/register app.js`: when listen is refused, the error says who has the port.
 *
 * Node tells a diagnostics channel of a listen that fails, just before it emits the error (lib/net.js, setupListenHandle).
 * So nothing of Node's is replaced and no listener is added; http, https, http2, tls and what is built on them listen
 * through net; and a program whose listens succeed never reads more than this file. One error does not come that way: a
 * cluster's worker makes it of the number that the primary sends, and emits it in the same callback (lib/net.js,
 * listenOnPrimaryHandle). For as long as that callback runs, a worker's server has a listener of `events.errorMonitor`,
 * which is Node's way to see an error without handling it.
 */
import type { EventEmitter } from "node:events";
import type { Asked } from "./refused-bind.ts";

/** Put in by the build: the bundle of listen-error.ts. */
declare const LASTACK_LISTEN_ERROR: string;

const CODES: ReadonlySet<unknown> = new Set(["EADDRINUSE", "EADDRNOTAVAIL", "EACCES"]);

/** What a server was asked for that its error does not tell. */
const asked = new WeakMap<object, Asked>();

/** The error is the program's: whatever goes wrong here, it goes on as it was. */
function tell(server: object, error: unknown): void {
  try {
    if (!CODES.has((error as NodeJS.ErrnoException).code)) return;
    const require = process.getBuiltinModule("node:module").createRequire(import.meta.url);
    const { tellWhy } = require(LASTACK_LISTEN_ERROR) as typeof import("./listen-error.ts");
    tellWhy(error as NodeJS.ErrnoException, asked.get(server));
  } catch {}
}

/** What is used of lib/internal/cluster/child.js. */
interface ClusterChild {
  isWorker: boolean;
  _getServer?: GetServer;
}
type Answered = (error: number, handle: unknown) => unknown;
type GetServer = (server: EventEmitter, query: { addressType: unknown }, answered: Answered) => unknown;

function watchPrimary(): void {
  const cluster = process.getBuiltinModule("node:cluster") as unknown as ClusterChild;
  const getServer = cluster._getServer;
  if (!cluster.isWorker || typeof getServer !== "function") return;
  const { errorMonitor } = process.getBuiltinModule("node:events");
  cluster._getServer = function (server, query, answered) {
    // UDP comes this way too, as udp4 and udp6.
    if (query.addressType !== 4 && query.addressType !== 6) return getServer.call(this, server, query, answered);
    return getServer.call(this, server, query, (error, handle) => {
      const see = (emitted: unknown) => tell(server, emitted);
      server.once(errorMonitor, see);
      try {
        return answered(error, handle);
      } finally {
        server.removeListener(errorMonitor, see);
      }
    });
  };
}

function watch(): void {
  // Asked for, not imported: a start waits for each import of a module.
  const { subscribe } = process.getBuiltinModule("node:diagnostics_channel");
  let isFirst = true;
  subscribe("tracing:net.server.listen:asyncStart", (message) => {
    try {
      const { server, options } = message as { server: object; options: Asked };
      // Here, since it is now that net itself loads cluster.
      if (isFirst) watchPrimary();
      isFirst = false;
      const { ipv6Only, reusePort } = options;
      if (ipv6Only || reusePort) asked.set(server, { ipv6Only, reusePort });
      else asked.delete(server);
    } catch {}
  });
  subscribe("tracing:net.server.listen:error", (message) => {
    const { server, error } = message as { server: object; error: unknown };
    tell(server, error);
  });
}

const { platform, env } = process;
// An older Node, without getBuiltinModule, runs its program as if this were not here.
if (platform === "linux" && env["LASTACK"] !== "off" && "getBuiltinModule" in process) watch();
