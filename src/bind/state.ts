/**
 * What decides over binding on one host: its sockets, and the kernel's bind buckets with what they remember of earlier
 * binds. Data only (maps, arrays, texts, numbers), never changed by the functions of this room: a step makes a new one.
 */
import type { Endpoint, Family } from "../call/call.ts";
import type { TcpState } from "../codec/state.ts";
import { wildcardOf, type Bound } from "./address.ts";

export const SYSTEMS = ["linux", "macos", "freebsd", "windows"] as const;
export type System = (typeof SYSTEMS)[number];

/** `undefined` says that it is not known: nobody could look. */
export type Fact<T> = T | undefined;

export interface Socket {
  /** Unique among the sockets of a state. */
  id: string;
  family: Family;
  /** CLOSED: neither listening nor connected, whether bound (`port` is not 0) or not. */
  state: TcpState;
  /** Who has it: a process, by a descriptor; a listener's queue, until it is accepted; nobody. */
  holder: "process" | "queue" | "nobody";
  /** Canonical; of the socket's family: an IPv6 socket has `::ffff:127.0.0.1`. */
  address: string;
  /** 0: none. */
  port: number;
  /** As in `address`; of connected sockets only. */
  peer?: Endpoint;
  reuseAddress: Fact<boolean>;
  reusePort: Fact<boolean>;
  /** IPV6_V6ONLY; bind(2) to an IPv6 address sets it. */
  ipv6Only: Fact<boolean>;
  /** SO_BINDTODEVICE: the device's name, "" without. */
  device: string;
  /** The effective uid of socket(2), or of accept(2). */
  uid: Fact<number>;
  /** SO_LINGER of 0 seconds: close sends RST. */
  aborts: boolean;
  /** IP_BIND_ADDRESS_NO_PORT. */
  bindAddressNoPort: boolean;
  /** IP_LOCAL_PORT_RANGE: lowest and highest port, 0 for one that is not given. */
  localPortRange: readonly [number, number];
  /** bind(2) gave it an address (SOCK_BINDADDR_LOCK) … */
  lockedAddress: boolean;
  /** … a port that is not 0 (SOCK_BINDPORT_LOCK): it keeps that when a connection or listening ends. */
  lockedPort: boolean;
  /** connect(2) chose the port (SOCK_CONNECT_BIND). */
  connectBound: Fact<boolean>;
  /** It is or was connected, which listen and connect refuse (SS_CONNECTED). */
  wasConnected: boolean;
  /** shutdown(2) of its sending side while it was not connected: refused, and remembered. */
  shutWrite: boolean;
  /** An IPv6 socket that has tried to connect to an IPv4 address: it can't go back to IPv6. */
  speaksIpv4: boolean;
  /** Of a listener: connections that wait to be accepted, the oldest first. */
  queue: readonly string[];
  backlog: number;
}

/**
 * -1: only sockets that connect(2) bound have the port; 0: no (`fastreuse`). The kernel's 1, all set SO_REUSEADDR, is
 * never reached, see `updateFastReuse`.
 */
export type FastReuse = -1 | 0;
/** As above; 1: who binds where addresses match shares the port (FASTREUSEPORT_STRICT) (`fastreuseport`). */
export type FastReusePort = -1 | 0 | 1;

/** The sockets of one port at one address (`struct inet_bind2_bucket`). */
export interface Place {
  /** In its IPv6 form: both families share `::ffff:a.b.c.d`. */
  address: string;
  fastReuse: Fact<FastReuse>;
  fastReusePort: Fact<FastReusePort>;
  owners: readonly string[];
}

/** One port (`struct inet_bind_bucket`). */
export interface Bucket {
  port: number;
  fastReuse: Fact<FastReuse>;
  fastReusePort: Fact<FastReusePort>;
  /** The socket with SO_REUSEPORT that `fastReusePort` was last set by. */
  fast: (Bound & { uid: Fact<number> }) | undefined;
  places: readonly Place[];
}

/** Addresses of the host: one, or with a prefix all of a network (127.0.0.1 with 8: the kernel owns all of 127/8). */
export interface LocalAddress {
  address: string;
  prefix?: number;
  /** The prefix of the network that it is in: its other hosts are reached without a router. */
  onLink?: number;
  device: string;
}

/** What of the host counts, by the names of its parameters where they have one. */
export interface Host {
  /** Others than Linux are known from their documents only. */
  system: System;
  addresses: readonly LocalAddress[];
  /** Whether a router leads to every other host. */
  hasDefaultRoute: boolean;
  /** net.ipv4.ip_local_port_range */
  portRange: readonly [number, number];
  /** net.ipv4.ip_local_reserved_ports, ranges with both ends */
  reservedPorts: readonly (readonly [number, number])[];
  /** net.ipv4.ip_unprivileged_port_start */
  unprivilegedPortStart: number;
  /** CAP_NET_BIND_SERVICE */
  mayBindPrivileged: boolean;
  /** net.ipv4.tcp_timestamps. */
  timestamps: boolean;
  /** net.ipv4.ip_nonlocal_bind and net.ipv6.ip_nonlocal_bind */
  nonlocalBind: boolean;
  /** net.ipv6.bindv6only */
  bindIpv6Only: boolean;
  /** net.ipv4.ip_autobind_reuse */
  autobindReuse: boolean;
}

export interface State {
  host: Host;
  sockets: ReadonlyMap<string, Socket>;
  buckets: ReadonlyMap<number, Bucket>;
  /** How many connections have been made: names those that nobody accepted yet. */
  made: number;
}

/** A host as Linux starts: loopback, and the defaults of the parameters; the caller may bind every port. */
export const PLAIN_HOST: Host = {
  system: "linux",
  addresses: [
    { address: "127.0.0.1", prefix: 8, device: "lo" },
    { address: "::1", device: "lo" },
  ],
  hasDefaultRoute: false,
  portRange: [32_768, 60_999],
  reservedPorts: [],
  unprivilegedPortStart: 1024,
  mayBindPrivileged: true,
  timestamps: true,
  nonlocalBind: false,
  bindIpv6Only: false,
  autobindReuse: false,
};

export function emptyState(host: Partial<Host> = {}): State {
  return { host: { ...PLAIN_HOST, ...host }, sockets: new Map(), buckets: new Map(), made: 0 };
}

/** A socket as socket(2) gives it. */
export function newSocket(host: Host, id: string, family: Family, uid: Fact<number> = 0): Socket {
  return {
    id,
    family,
    state: "CLOSED",
    holder: "process",
    address: wildcardOf(family),
    port: 0,
    reuseAddress: false,
    reusePort: false,
    ipv6Only: family === "IPv6" && host.bindIpv6Only,
    device: "",
    uid,
    aborts: false,
    bindAddressNoPort: false,
    localPortRange: [0, 0],
    lockedAddress: false,
    lockedPort: false,
    connectBound: false,
    wasConnected: false,
    shutWrite: false,
    speaksIpv4: false,
    queue: [],
    backlog: 0,
  };
}

/**
 * True of what Linux keeps as a small TIME_WAIT socket without an owner: TIME-WAIT itself, and a FIN-WAIT-2 that
 * nobody has (tcp_close, tcp_rcv_state_process; while tcp_fin_timeout is at most 60 s, as it is by default).
 */
export function isMini({ state, holder }: Socket): boolean {
  return state === "TIME-WAIT" || (state === "FIN-WAIT-2" && holder === "nobody");
}
