import type { PortSocket } from "./facts.ts";

/**
 * The causes for which a port can't be bound, in the order in which they are told: what blocks for ever comes before what
 * ends by itself, and what only explains comes last. docs/causes.md describes each under this name.
 */
export const CAUSES = [
  "address-unavailable",
  "privileged-port",
  "same-program",
  "systemd-socket",
  "container-engine",
  "zombie-leader",
  "inherited-listener",
  "listener",
  "other-users-process",
  "in-flight",
  "io-uring",
  "kernel-listener",
  "unknown-holder",
  "outgoing-connection",
  "leftover-connections",
  "close-wait",
  "half-closed",
  "bound-only",
  "unread-data",
  "unanswered-close",
  "orphan-fin-wait-2",
  "time-wait",
  "invisible-socket",
  "policy",
  "outside-linux",
  "dual-stack",
  "v4-mapped",
  "wildcard",
  "reuse-port-mismatch",
  "second-listen",
  "other-namespace",
  "free",
] as const;
export type Cause = (typeof CAUSES)[number];

export interface Remedy {
  /** What to do, as a sentence without full stop. */
  what: string;
  /** What it costs or risks. */
  cost?: string;
  /** The words of a command that does it. */
  command?: readonly string[];
}

/** Texts hold names that others chose: whoever shows them escapes them. */
export interface Finding {
  cause: Cause;
  /** True if it stands in the way of a bind that was asked about. */
  blocks: boolean;
  /** The cause in one sentence, to follow `Port N is taken: `. */
  headline: string;
  /** What else is known. */
  detail: readonly string[];
  sockets: readonly PortSocket[];
  /** When it ends by itself, milliseconds since 1970; absent: it does not, or nobody knows when. */
  endsAtMs?: number;
  remedies: readonly Remedy[];
}
