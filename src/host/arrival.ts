/** A packet arrives: whose it is, and what follows from it (tcp_v4_rcv, tcp_conn_request). */
import { listenersFor } from "../bind/connect.ts";
import type { Socket } from "../bind/state.ts";
import type { Seq } from "../codec/seq.ts";
import { ACK, RST, SYN, type TcpSegment } from "../codec/tcp.ts";
import { handleSegment, isOldByTimestamp, listen, reopensWith, resetFor } from "../tcp/index.ts";
import { connectionSettings, followChange, makeSocket, numberFor } from "./connections.ts";
import { deviceOf, socketToChange, type Host, type HostPacket, type HostSocket } from "./host.ts";
import { order } from "./order.ts";
import { numberOf } from "./parameters.ts";

/** The socket whose connection the packet belongs to; undefined if there is none. */
export function socketBetween(host: Host, packet: HostPacket): HostSocket | undefined {
  const { segment, source, destination } = packet;
  for (const socket of host.sockets.values()) {
    const { connection, local, peer } = socket;
    if (connection === null || connection.state === "CLOSED") continue;
    if (local.port !== segment.destinationPort || peer.port !== segment.sourcePort) continue;
    if (local.address === destination && peer.address === source) return socket;
  }
  return undefined;
}

/** Which of several listeners that share a port gets a connection: always the same one (inet_ehashfn, reuseport_select_sock). */
function choose(host: Host, listeners: readonly Socket[], packet: HostPacket): Socket | undefined {
  const { source, destination, segment } = packet;
  const [best] = listeners;
  if (!best?.reusePort) return best;
  const sharing = listeners.filter((one) => one.reusePort && one.address === best.address && one.uid === best.uid);
  if (sharing.length > 1) {
    const places = order(host);
    sharing.sort((a, b) => places.get(a.id)! - places.get(b.id)!);
  }
  let hash = 2_166_136_261; // FNV-1a
  for (const char of `${source} ${segment.sourcePort} ${destination}`) {
    hash = Math.imul(hash ^ char.charCodeAt(0), 16_777_619);
  }
  return sharing[(hash >>> 16) % sharing.length];
}

function listenerFor(host: Host, packet: HostPacket): Socket | undefined {
  const { source, destination, segment } = packet;
  const device = deviceOf(host, source) === undefined ? deviceOf(host, destination)! : "lo";
  return choose(
    host,
    listenersFor(host.ports, { address: destination, port: segment.destinationPort }, device),
    packet,
  );
}

/** The queue holds one more than the backlog says (sk_acceptq_is_full). */
function isFull({ queue, backlog }: Socket): boolean {
  return queue.length > backlog;
}

const isSyn = ({ flags }: TcpSegment) => (flags & (SYN | ACK | RST)) === SYN;

/** A packet that no connection is there for. `iss`: the number that a new one has to begin with. */
function arriveAtListener(host: Host, nowUs: number, packet: HostPacket, listener: Socket, iss?: Seq): void {
  const { source, destination, segment } = packet;
  if (isSyn(segment) && isFull(listener)) {
    host.counters.ListenOverflows++;
    return;
  }
  const local = { address: destination, port: segment.destinationPort };
  const peer = { address: source, port: segment.sourcePort };
  const { options, family, shutRead } = host.sockets.get(listener.id)!;
  const settings = { ...connectionSettings(host, options, local, peer), remotePort: 0 };
  const socket = makeSocket(host, family, options);
  Object.assign(socket, {
    listener: listener.id,
    local,
    peer,
    shutRead,
    loopback: deviceOf(host, source) !== undefined,
  });
  const first = isSyn(segment) ? (iss ?? numberFor(host, local, peer, nowUs)) : segment.seq;
  socket.connection = { ...listen(settings, first), deaf: shutRead };
  handleSegment(socket.connection, nowUs, segment);
  followChange(host, socket, "LISTEN");
}

function answerReset(host: Host, { source, destination, segment }: HostPacket): void {
  const reset = resetFor(segment);
  if (!reset) return;
  const hops = numberOf(host.parameters, "net.ipv4.ip_default_ttl");
  host.replies = [...host.replies, { source: destination, destination: source, hops, segment: reset }];
}

/** Whether it is the third segment of a connection that has no place in the queue: it is dropped, and will come again. */
function findsNoPlace(host: Host, { listener, connection }: HostSocket, { flags }: TcpSegment): boolean {
  if (connection!.state !== "SYN-RECEIVED" || listener === null || (flags & (ACK | SYN | RST)) !== ACK) return false;
  return isFull(host.ports.sockets.get(listener)!);
}

/** A packet has arrived. One for another host, or that makes no sense, is dropped. */
export function handlePacket(host: Host, nowUs: number, packet: HostPacket): void {
  const { segment } = packet;
  if (deviceOf(host, packet.destination) === undefined) return;
  host.counters.InSegs++;
  const found = socketBetween(host, packet);
  const listener = found === undefined || isSyn(segment) ? listenerFor(host, packet) : undefined;
  if (found === undefined) {
    if (listener) arriveAtListener(host, nowUs, packet, listener);
    else answerReset(host, packet);
    return;
  }
  if (findsNoPlace(host, found, segment)) {
    host.counters.ListenOverflows++;
    return;
  }
  const socket = socketToChange(host, found.id);
  const c = socket.connection!;
  const iss = listener && reopensWith(c, nowUs, segment);
  if (listener && iss !== undefined) {
    endTimeWait(host, socket);
    arriveAtListener(host, nowUs, packet, listener, iss);
    return;
  }
  const before = c.state;
  const isRefusable = before === "ESTABLISHED" || before === "CLOSE-WAIT" || before.startsWith("FIN-WAIT");
  const { pawsSlack } = c.settings.profile;
  if (isRefusable && segment.payload.length > 0 && isOldByTimestamp(c, segment, nowUs, pawsSlack)) {
    host.counters.PAWSEstab++;
  }
  handleSegment(c, nowUs, segment);
  followChange(host, socket, before);
}

/** A TIME-WAIT gives way to another connection between its ends. What the process has not read stays. */
export function endTimeWait(host: Host, socket: HostSocket): void {
  const c = socket.connection!;
  c.state = "CLOSED";
  c.expireAtUs = null;
  c.ackNow = false;
  followChange(host, socket, "TIME-WAIT");
}
