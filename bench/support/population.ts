/** Populations of TCP sockets in a network namespace of the bench's own. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { enterNewNetworkNamespace } from "../../src/linux/namespace.ts";

const FIRST_PORT = 8000;
/** One holder's share: descriptors are limited per process, ports per destination. */
const SHARE = 15_000;
const HOLDER = fileURLToPath(new URL("holder.ts", import.meta.url));

export class Population {
  readonly #holders: ChildProcess[] = [];

  private constructor(readonly count: number) {}

  /** Moves this process into a new namespace and fills it with `count` sockets. */
  static async create(kind: "held" | "time-wait", count: number): Promise<Population> {
    if (!enterNewNetworkNamespace()) {
      throw new Error("a network namespace of its own takes root, or: unshare --user --map-root-user npm run bench");
    }
    const population = new Population(count);
    for (let made = 0, port = FIRST_PORT; made < count; made += SHARE, port++) {
      const share = Math.min(SHARE, count - made);
      const args = ["--import", "tsx", HOLDER, kind, String(port), String(share)];
      const holder = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
      population.#holders.push(holder);
      const ready = once(holder.stdout!, "data");
      const ended = once(holder, "exit").then(([code]) => {
        throw new Error(`a holder of sockets ended with ${code}`);
      });
      await Promise.race([ready, ended]);
      ended.catch(() => {});
    }
    return population;
  }

  /** Ends the holders, and with them the sockets. */
  async end(): Promise<void> {
    for (const holder of this.#holders) {
      const gone = once(holder, "exit");
      holder.stdin!.end();
      await gone;
    }
  }
}
