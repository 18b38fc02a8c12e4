/**
 * A process that outlives the lab for a moment. Programs of somebody else's may start processes that nobody would end if
 * the lab were killed: the guard notices that it has gone, and ends whatever lives in its hosts.
 */
import { spawn } from "node:child_process";
import { endAllIn } from "../../linux/residents.ts";
import { AF_UNIX, Fd, pidfdOpen, recv, SOCK_STREAM, socketpair } from "../../sys/index.ts";
import { CHANNEL_FD } from "./child-protocol.ts";
import { awaitEnd } from "./ending.ts";

/** The argument that makes lab-process.cjs a guard; the namespaces' inodes follow. */
export const GUARD = "--guard";

/** What the guard's process does: waits until nobody holds the other end of its channel any more. */
export function runGuard(namespaces: readonly number[]): void {
  const buffer = new Uint8Array(1);
  const channel = new Fd(CHANNEL_FD);
  while (recv(channel, buffer) > 0);
  endAllIn(namespaces);
}

export class Guard {
  readonly #channel: Fd;
  readonly #pidfd: Fd;

  constructor(script: string, namespaces: readonly number[]) {
    const [ours, theirs] = socketpair(AF_UNIX, SOCK_STREAM);
    // Out of the terminal's group: Ctrl-C ends the lab, and the guard has still to do its work.
    const child = spawn(process.execPath, [script, GUARD, ...namespaces.map(String)], {
      detached: true,
      stdio: ["ignore", "ignore", "ignore", theirs.number],
    });
    theirs.close();
    if (child.pid === undefined) throw new Error("the guard of the hosts could not be started");
    child.unref();
    this.#channel = ours;
    this.#pidfd = pidfdOpen(child.pid);
  }

  /** Lets the guard go, and waits for its end. */
  close(): void {
    this.#channel.close();
    awaitEnd(this.#pidfd, "the guard");
    this.#pidfd.close();
  }
}
