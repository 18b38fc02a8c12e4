/** What a request is answered with. */
import type { Errno } from "../call/errno.ts";
import { ERRNO } from "../call/errno.ts";
import type { RuleName } from "./rules.ts";

/** A fact that nobody could look at, and that the answer hangs on. */
export type Unknown =
  | { of: "socket"; id: string; fact: "SO_REUSEADDR" | "SO_REUSEPORT" | "IPV6_V6ONLY" | "uid" }
  /** What the kernel remembers of earlier binds of this port. */
  | { of: "bucket"; port: number };

/**
 * `waits`: the call blocks (a connection has to come, another host has to answer). `depends`: granted or refused,
 * according to what is listed in `unknown`; `rule` and `blockers` are those of the refusal.
 */
export interface Answer {
  outcome: "granted" | "refused" | "waits" | "depends";
  rule: RuleName;
  /** Read in documents, and not run; without, the rule is Linux's and held against the running kernel. */
  basis?: "documents";
  /** Why it is refused: the system's number. */
  errno?: number;
  code?: Errno;
  /** The sockets that are the reason of a refusal, or that a granted one shares the port with. */
  sockets: readonly string[];
  /** The port that the socket has now, where the request gave it one. */
  port?: number;
  address?: string;
  /** The socket that `accept` gives. */
  accepted?: string;
  /** The listener that has taken the connection. */
  listener?: string;
  unknown?: readonly Unknown[];
}

export function granted(rule: RuleName, more: Partial<Answer> = {}): Answer {
  return { outcome: "granted", rule, sockets: [], ...more };
}

export function refused(code: keyof typeof ERRNO, rule: RuleName, sockets: readonly string[] = []): Answer {
  return { outcome: "refused", rule, errno: ERRNO[code], code, sockets };
}

export function waits(rule: RuleName, more: Partial<Answer> = {}): Answer {
  return { outcome: "waits", rule, sockets: [], ...more };
}
