/** What is known about a host's connections as a whole. Collected by src/linux/host-facts.ts, twice. */
import type { Endpoint } from "../codec/tcp-socket.ts";

/** The CLOSE-WAIT sockets of a process, or of those that may not be looked into (null). */
export interface CloseWaitCount {
  pid: number | null;
  count: number;
}

/** How many ports of the local range connections from one address to one endpoint have. */
export interface Destination {
  from: string;
  to: Endpoint;
  ports: number;
  /** Of these, in TIME-WAIT. */
  timeWait: number;
}

export interface FullListener {
  local: Endpoint;
  /** Connections that wait for accept, and how many may. */
  waiting: number;
  limit: number;
  pids: readonly number[];
}

export interface HostLook {
  closeWait: readonly CloseWaitCount[];
  /** TIME-WAIT, and FIN-WAIT-2 without owner: what tcp_max_tw_buckets limits. */
  timeWait: number;
  /** The fullest. */
  destinations: readonly Destination[];
  fullListeners: readonly FullListener[];
  /** How often a listener's queue was full (ListenOverflows), and TIME-WAIT was skipped (TCPTimeWaitOverflow). */
  listenOverflows: number;
  timeWaitOverflows: number;
}

export interface HostFacts {
  before: HostLook;
  after: HostLook;
  /** Between the two looks, milliseconds. */
  spanMs: number;
  /** net.ipv4.tcp_max_tw_buckets */
  maxTimeWait: number;
  localPortRange: readonly [number, number];
  /** net.ipv4.tcp_tw_reuse: 0 never, 1 always, 2 on loopback. */
  timeWaitReuse: number;
  asRoot: boolean;
  /** Of the processes that are named above. */
  processes: ReadonlyMap<number, { program: string; user: string }>;
}
