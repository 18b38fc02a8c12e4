/**
 * A host as a model: processes with their descriptors, sockets over src/tcp, ports by the rules of src/bind. All of it is
 * plain data; time is a parameter, in microseconds from whatever beginning, and nothing is random.
 *
 * A user of this room makes calls (`makeCall`) and delivers packets (`handlePacket`); after each of these, and after
 * `handleTimeout`, it takes packets from `pollTransmit` until there is none, looks at `pollTimeout`, and lets calls that
 * were blocked go on (`resumeCalls`).
 */
import type { Call, Endpoint, Family } from "../call/call.ts";
import type { Draft } from "../bind/draft.ts";
import { draftOf } from "../bind/draft.ts";
import { emptyState, PLAIN_HOST, type LocalAddress } from "../bind/state.ts";
import type { TcpSegment } from "../codec/tcp.ts";
import { copyConnection, LINUX, type Connection, type Profile, type Settings } from "../tcp/index.ts";
import { numberOf, numbersOf, type Parameters } from "./parameters.ts";

/** How initial sequence numbers are chosen: by a keyed hash and a clock (RFC 6528), or by counting connections. */
export type Numbering = { by: "clock"; key: Uint8Array; tickUs: number } | { by: "count"; first: number; step: number };

/** What is chosen for a host before it begins, and stays. */
export interface HostSettings {
  /** Its addresses beside those of loopback; with `onLink`, other hosts are reached. */
  readonly addresses: readonly LocalAddress[];
  /** The longest packet that its device takes, bytes. */
  readonly mtu: number;
  readonly profile: Profile;
  readonly numbering: Numbering;
  /** What connections have instead of what parameters, options and the profile say. */
  readonly connection: Partial<Omit<Settings, "profile" | "localPort" | "remotePort">>;
}

/** The options of a socket that bind does not ask for. */
export interface SocketOptions {
  /** Bytes; null: what the host's parameters say. Overhead is not counted, so that the option's value is the room. */
  readonly receiveBuffer: number | null;
  readonly sendBuffer: number | null;
  /** null: the host's (net.ipv4.ip_default_ttl). */
  readonly hops: number | null;
  /** SO_LINGER, seconds; null: off. */
  readonly lingerS: number | null;
  readonly noDelay: boolean;
  /** TCP_LINGER2, seconds; null: net.ipv4.tcp_fin_timeout. */
  readonly finTimeoutS: number | null;
}

/** A socket: what a descriptor refers to, a connection that nobody has accepted yet, or one that nobody has any more. */
export interface HostSocket {
  /** Its name in `ports`, too. */
  readonly id: string;
  readonly family: Family;
  /** A copy of this host has it too: it is copied before it is changed. */
  shared: boolean;
  /** How many descriptors refer to it. */
  references: number;
  /** Whose connection it is until it is accepted; null: nobody's, or of who connected. */
  listener: string | null;
  /** null: it has none, and perhaps listens. */
  connection: Connection | null;
  /** The connection's ends, as packets have them. */
  local: Endpoint;
  peer: Endpoint;
  /** The other end is on this host, too. */
  loopback: boolean;
  options: SocketOptions;
  /** SO_ERROR: what went wrong and nobody has been told of, by Linux's number; 0: nothing. */
  error: number;
  /** shutdown(2) of its receiving side. */
  shutRead: boolean;
  /** read(2) has told of the end of the stream. */
  endRead: boolean;
}

export type SocketCall = Extract<Call, { fd: number }>;

/** A call that has not returned. */
export interface BlockedCall {
  /** The lowest number that no other blocked call of the process has. */
  readonly id: number;
  readonly call: SocketCall;
  /** The socket that it is about. */
  readonly socket: string;
  /** Of those that wait on the socket, the lower is woken first. */
  readonly place: number;
  /** How many bytes of a `write` have been taken. */
  readonly written: number;
  /** When it returns in any case, as a lingering `close` does; null: never. */
  readonly deadlineUs: number | null;
}

/** Replaced when something about it changes. */
export interface Process {
  readonly name: string;
  readonly uid: number;
  /** Ids of sockets by descriptor. */
  readonly descriptors: ReadonlyMap<number, string>;
  readonly blocked: readonly BlockedCall[];
}

/** A packet on the wire. Addresses are canonical. */
export interface HostPacket {
  readonly source: string;
  readonly destination: string;
  /** How many routers it may pass. */
  readonly hops: number;
  readonly segment: TcpSegment;
}

/** By the kernel's names (/proc/net/snmp, /proc/net/netstat). */
export const COUNTERS = [
  "ActiveOpens",
  "PassiveOpens",
  "EstabResets",
  "InSegs",
  "OutSegs",
  "OutRsts",
  "ListenOverflows",
  "PAWSEstab",
  "TCPTimeWaitOverflow",
] as const;
export type Counter = (typeof COUNTERS)[number];

export interface Host {
  /** Never changed; copies share it. */
  readonly settings: HostSettings;
  /** The device of each of its addresses. Never changed, either. */
  readonly devices: ReadonlyMap<string, string>;
  parameters: Parameters;
  /** Who has which port. */
  ports: Draft;
  /** A copy of this host has `ports` too. */
  portsShared: boolean;
  readonly sockets: Map<string, HostSocket>;
  readonly processes: Map<string, Process>;
  /** The sockets that may have something to send. */
  ready: readonly string[];
  /** What goes out that is no connection's. */
  replies: readonly HostPacket[];
  /** How many sockets there have been: names the next. */
  made: number;
  /** The port that is tried first where one is to be chosen: behind the last one, so that none is soon used again. */
  nextPort: number;
  /** How many connections have been given a number. */
  numbered: number;
  readonly counters: Record<Counter, number>;
}

export const DEFAULT_SETTINGS: HostSettings = {
  addresses: [],
  mtu: 1500,
  profile: LINUX,
  numbering: { by: "clock", key: new Uint8Array(16), tickUs: 0.064 },
  connection: {},
};

/** A host with no process. What is not given is Linux's. */
export function createHost(given: Partial<HostSettings> = {}, parameters: Parameters = {}): Host {
  const settings = { ...DEFAULT_SETTINGS, ...given };
  const addresses = [...PLAIN_HOST.addresses, ...settings.addresses];
  const host: Host = {
    settings,
    devices: new Map(addresses.map(({ address, device }) => [address, device])),
    parameters: {},
    ports: draftOf(emptyState({ addresses })),
    portsShared: false,
    sockets: new Map(),
    processes: new Map(),
    ready: [],
    replies: [],
    made: 0,
    nextPort: 0,
    numbered: 0,
    counters: Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Record<Counter, number>,
  };
  setParameters(host, parameters);
  return host;
}

/** Sets parameters; those of others stay. What they mean to connections that exist does not change. */
export function setParameters(host: Host, parameters: Parameters): void {
  host.parameters = { ...host.parameters, ...parameters };
  const [low, high] = numbersOf(host.parameters, "net.ipv4.ip_local_port_range") as [number, number];
  const ports = portsToChange(host);
  ports.host = {
    ...ports.host,
    portRange: [low, high],
    unprivilegedPortStart: numberOf(host.parameters, "net.ipv4.ip_unprivileged_port_start"),
    timestamps: numberOf(host.parameters, "net.ipv4.tcp_timestamps") !== 0,
  };
}

/** A copy that goes its own way. Both are to be changed by the functions of this room only. */
export function copyHost(host: Host): Host {
  host.portsShared = true;
  for (const socket of host.sockets.values()) socket.shared = true;
  return {
    ...host,
    sockets: new Map(host.sockets),
    processes: new Map(host.processes),
    counters: { ...host.counters },
  };
}

/** The socket, of which no copy of the host knows. */
export function socketToChange(host: Host, id: string): HostSocket {
  const socket = host.sockets.get(id)!;
  if (!socket.shared) return socket;
  const { connection } = socket;
  const own = { ...socket, shared: false, connection: connection && copyConnection(connection) };
  host.sockets.set(id, own);
  return own;
}

/** The ports, of which no copy of the host knows. */
export function portsToChange(host: Host): Draft {
  if (host.portsShared) {
    host.ports = draftOf(host.ports);
    host.portsShared = false;
  }
  return host.ports;
}

/** A process begins, without descriptors. */
export function startProcess(host: Host, name: string, uid = 0): void {
  if (host.processes.has(name)) throw new TypeError(`there is a process ${name} already`);
  host.processes.set(name, { name, uid, descriptors: new Map(), blocked: [] });
}

export function processOf(host: Host, name: string): Process {
  const process = host.processes.get(name);
  if (!process) throw new TypeError(`there is no process ${name}`);
  return process;
}

/** The device of an address of the host's; undefined for one of another host's. */
export function deviceOf(host: Host, address: string): string | undefined {
  return host.devices.get(address) ?? (address.startsWith("127.") ? "lo" : undefined);
}

/** The socket may have something to send. */
export function markReady(host: Host, id: string): void {
  if (!host.ready.includes(id)) host.ready = [...host.ready, id];
}
