/** The connections of a host: with what they begin, and what becomes of socket and port as they change. */
import type { Endpoint, Family } from "../call/call.ts";
import { ERRNO } from "../call/errno.ts";
import { parseIp } from "../codec/address.ts";
import { seqAdd, seq, type Seq } from "../codec/seq.ts";
import { establish, follow } from "../bind/follow.ts";
import { asIpv4, isIpv6, isMapped } from "../bind/address.ts";
import {
  becomeClosed,
  initialNumber,
  settingsOf,
  shutdown,
  type Connection,
  type ConnectionError,
  type ConnectionState,
  type Settings,
} from "../tcp/index.ts";
import { markReady, portsToChange, type Host, type HostSocket, type SocketOptions } from "./host.ts";
import { numberOf, numbersOf } from "./parameters.ts";

const S = 1_000_000;
/** Of the IP and the TCP header, bytes. */
const HEADERS = { v4: 40, v6: 60 };
/** RFC 9293 MUST-15. */
const MSS_UNSAID = { v4: 536, v6: 1220 };

export const DEFAULT_OPTIONS: SocketOptions = {
  receiveBuffer: null,
  sendBuffer: null,
  hops: null,
  lingerS: null,
  noDelay: false,
  finTimeoutS: null,
};

export const NOWHERE: Endpoint = { address: "", port: 0 };

export function makeSocket(host: Host, family: Family, options = DEFAULT_OPTIONS): HostSocket {
  const socket: HostSocket = {
    id: String(++host.made),
    family,
    shared: false,
    references: 0,
    listener: null,
    connection: null,
    local: NOWHERE,
    peer: NOWHERE,
    loopback: false,
    options,
    error: 0,
    shutRead: false,
    endRead: false,
  };
  host.sockets.set(socket.id, socket);
  return socket;
}

/** An address as packets have it: that of an IPv4 connection of an IPv6 socket is an IPv4 address. */
export function plain(address: string): string {
  return isMapped(address) ? asIpv4(address) : address;
}

/** tcp_select_initial_window: so that the largest buffer that there may be can be offered. */
function windowScale(host: Host, { receiveBuffer }: SocketOptions): number | null {
  if (numberOf(host.parameters, "net.ipv4.tcp_window_scaling") === 0) return null;
  const most = receiveBuffer ?? numbersOf(host.parameters, "net.ipv4.tcp_rmem")[2]!;
  return Math.max(0, Math.min(14, Math.floor(Math.log2(most)) - 15));
}

/** How long an orphan waits in FIN-WAIT-2 (tcp_fin_time); negative: not at all. */
export function orphanFinWait2Us(host: Host, { finTimeoutS }: SocketOptions): number | null {
  if (host.settings.connection.orphanFinWait2Us !== undefined) return host.settings.connection.orphanFinWait2Us;
  if (host.settings.profile.orphanFinWait2Us === null) return null;
  return (finTimeoutS ?? numberOf(host.parameters, "net.ipv4.tcp_fin_timeout")) * S;
}

/** Where the clock of timestamps stands, the same for all connections with a host (secure_tcp_ts_off, net/core/secure_seq.c). */
function timestampOffset(host: Host, local: Endpoint, peer: Endpoint): number {
  const { numbering } = host.settings;
  if (numbering.by === "count" || numberOf(host.parameters, "net.ipv4.tcp_timestamps") === 0) return 0;
  const [localAddress, remoteAddress] = [parseIp(local.address)!, parseIp(peer.address)!];
  return initialNumber(numbering.key, { localAddress, localPort: 0, remoteAddress, remotePort: 0 }, 0);
}

/** The settings of a connection that begins now. */
export function connectionSettings(host: Host, options: SocketOptions, local: Endpoint, peer: Endpoint): Settings {
  const { mtu, profile, connection } = host.settings;
  const version = isIpv6(local.address) ? "v6" : "v4";
  // Half of the buffer is for overhead (tcp_win_from_space). It does not grow here, as Linux's does.
  const receiveBuffer = options.receiveBuffer ?? numbersOf(host.parameters, "net.ipv4.tcp_rmem")[1]! / 2;
  return settingsOf({
    profile,
    localPort: local.port,
    remotePort: peer.port,
    mss: mtu - HEADERS[version],
    mssUnsaid: MSS_UNSAID[version],
    receiveBuffer,
    sendBuffer: options.sendBuffer ?? numbersOf(host.parameters, "net.ipv4.tcp_wmem")[2]!,
    windowScale: windowScale(host, options),
    timestamps: numberOf(host.parameters, "net.ipv4.tcp_timestamps") !== 0,
    timestampOffset: timestampOffset(host, local, peer),
    noDelay: options.noDelay,
    rfc1337: numberOf(host.parameters, "net.ipv4.tcp_rfc1337") !== 0,
    orphanFinWait2Us: orphanFinWait2Us(host, options),
    ...connection,
  });
}

/** The initial sequence number of a connection between these ends. */
export function numberFor(host: Host, local: Endpoint, peer: Endpoint, nowUs: number): Seq {
  const { numbering } = host.settings;
  const count = host.numbered++;
  if (numbering.by === "count") return seqAdd(seq(numbering.first), count * numbering.step);
  const ends = {
    localAddress: parseIp(local.address)!,
    localPort: local.port,
    remoteAddress: parseIp(peer.address)!,
    remotePort: peer.port,
  };
  return initialNumber(numbering.key, ends, nowUs, numbering.tickUs);
}

const ERRORS: Record<ConnectionError, number> = {
  reset: ERRNO.ECONNRESET,
  refused: ERRNO.ECONNREFUSED,
  "broken-pipe": ERRNO.EPIPE,
  timeout: ERRNO.ETIMEDOUT,
};

/** Kept as small sockets, of which there may be tcp_max_tw_buckets. */
export function isSmall({ references, listener, connection }: HostSocket): boolean {
  if (connection?.state === "TIME-WAIT") return true;
  return connection?.state === "FIN-WAIT-2" && references === 0 && listener === null;
}

/** tcp_time_wait: where there is no room for one more, the connection does without. */
export function limitTimeWaits(host: Host, socket: HostSocket): void {
  if (!isSmall(socket)) return;
  const most = numberOf(host.parameters, "net.ipv4.tcp_max_tw_buckets");
  let count = 0;
  for (const other of host.sockets.values()) if (isSmall(other)) count++;
  if (count <= most) return;
  host.counters.TCPTimeWaitOverflow++;
  becomeClosed(socket.connection!);
}

/** A request has become a connection: it waits to be accepted. */
function enqueue(host: Host, socket: HostSocket): void {
  host.counters.PassiveOpens++;
  establish(portsToChange(host), socket.listener!, socket.id, socket.local, socket.peer);
}

/**
 * Something has happened to the socket's connection, which was in `before`: the port follows, the process is told. To be
 * called with a socket that may be changed.
 */
export function followChange(host: Host, socket: HostSocket, before: ConnectionState): void {
  const c = socket.connection!;
  if (c.events.length > 0) c.events = [];
  markReady(host, socket.id);
  if (c.state === "LISTEN") {
    // A request that came to nothing. What it had to answer still goes.
    takeReplies(host, socket, c);
    host.sockets.delete(socket.id);
    return;
  }
  if (c.state === before) return;
  const wasRequest = before === "SYN-RECEIVED" && c.passive;
  if (c.state === "SYN-RECEIVED" && c.passive) return;
  const wasSmall = before === "FIN-WAIT-2" && socket.references === 0;
  if (!wasSmall && (!wasRequest || c.state !== "CLOSED")) limitTimeWaits(host, socket);
  if (c.state === "CLOSED" && (before === "ESTABLISHED" || before === "CLOSE-WAIT")) host.counters.EstabResets++;
  if (c.state === "CLOSED" && c.error !== null) socket.error = ERRORS[c.error];
  if (wasRequest && c.state !== "CLOSED") enqueue(host, socket);
  // Shut down before it stood (tcp_rcv_state_process, TCP_SYN_RECV).
  if (before === "SYN-RECEIVED" && host.ports.sockets.get(socket.id)?.shutWrite) shutdown(c);
  follow(portsToChange(host), socket.id, c.state);
}

function takeReplies(host: Host, socket: HostSocket, c: Connection): void {
  for (const segment of c.replies) {
    host.replies = [...host.replies, packetOf(host, socket, segment)];
  }
  c.replies = [];
}

/** A segment of this socket's connection as a packet. */
export function packetOf(host: Host, socket: HostSocket, segment: Connection["replies"][number]) {
  return {
    source: socket.local.address,
    destination: socket.peer.address,
    hops: socket.options.hops ?? numberOf(host.parameters, "net.ipv4.ip_default_ttl"),
    segment,
  };
}
