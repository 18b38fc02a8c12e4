/** connect(2), and the connection that it makes (tcp_v4_connect, tcp_v6_connect, __inet_hash_connect). */
import type { Endpoint } from "../call/call.ts";
import { granted, refused, waits, type Answer } from "./answer.ts";
import { asIpv4, asIpv6, isIpv6, isMapped, isMulticast, isWildcard } from "./address.ts";
import { addOwner, ensurePlace, inheritPort, moveAddress, resetAddress } from "./buckets.ts";
import { isIn, localAddress } from "./bind.ts";
import { between, disconnect, finish, removeTimeWait, sendFin } from "./connection.ts";
import type { Draft, DraftSocket } from "./draft.ts";
import { candidates, isReserved, localPortRange } from "./get-port.ts";
import { isMini, type LocalAddress, type Socket } from "./state.ts";
import type { RuleName } from "./rules.ts";

/** What the kernel chose where it has a choice. */
export interface Choice {
  port?: number;
  listener?: string;
}

const LOOPBACK = "127.0.0.1";

/** The destination as the family of the socket sees it; a wildcard means this host. */
function destinationOf(socket: DraftSocket, address: string): Answer | string {
  if (socket.family === "IPv4") {
    if (isIpv6(address)) return refused("EAFNOSUPPORT", "IPv6 address for IPv4");
    const { address: own } = socket;
    return address === "0.0.0.0" ? (own === "0.0.0.0" ? LOOPBACK : own) : address;
  }
  if (!isIpv6(address)) return refused("EINVAL", "IPv4 address for IPv6");
  const target = address === "::" ? (isMapped(socket.address) ? asIpv6(LOOPBACK) : "::1") : address;
  if (isMulticast(target)) return refused("ENETUNREACH", "no route");
  if (isMapped(target)) {
    if (socket.ipv6Only) return refused("ENETUNREACH", "v6 only to IPv4");
    if (asIpv4(target) !== "0.0.0.0") return target;
    return asIpv6(isWildcard(socket.address) ? LOOPBACK : asIpv4(socket.address));
  }
  return target;
}

/** The address that the socket will speak from, in its family's form. */
function sourceOf({ host }: Draft, socket: DraftSocket, target: string): Answer | string {
  const destination = isMapped(target) ? asIpv4(target) : target;
  const local = localAddress(host, destination);
  const isLoopback = (address: string) => localAddress(host, address)?.device === "lo";
  const reaches = (from: LocalAddress) =>
    isIn(from, from.onLink, destination) || (host.hasDefaultRoute && isIpv6(from.address) === isIpv6(destination));
  const own = (local ?? host.addresses.find((from) => from.device !== "lo" && reaches(from)))?.address;
  if (own === undefined) return refused("ENETUNREACH", "no route");
  if (isMapped(socket.address) && !isMapped(target)) return refused("EAFNOSUPPORT", "mapped to IPv6");
  if (!isWildcard(socket.address)) {
    const leaves = !local && isLoopback(isMapped(socket.address) ? asIpv4(socket.address) : socket.address);
    return leaves ? refused("EINVAL", "loopback leaves") : socket.address;
  }
  return socket.family === "IPv6" ? asIpv6(own) : own;
}

/** Whether an existing socket between the same ends is one for this device too (inet_match). */
const matchesDevice = (socket: DraftSocket, other: DraftSocket) =>
  other.device === "" || other.device === socket.device;

interface Place {
  port: number;
  rule: RuleName;
  /** A TIME-WAIT that gives way. */
  replaced?: DraftSocket;
}

/**
 * Whether a TIME-WAIT gives way to a new connection between its ends; `isBound`: bind has given the port
 * (tcp_twsk_unique). Where no clock is known, only a port that was bound has it so.
 */
export type GivesWay = (timeWait: Socket, isBound: boolean) => boolean;

/** The port that bind gave stays, if no connection has these ends (__inet_check_established). */
function boundPort(draft: Draft, socket: DraftSocket, peer: Endpoint, givesWay: GivesWay): Answer | Place {
  const others = between(draft, socket, peer).filter((other) => other !== socket && matchesDevice(socket, other));
  const replaced = others.find((other) => isMini(other) && givesWay(other, true));
  if (replaced) return { port: socket.port, rule: "tuple of TIME-WAIT", replaced };
  if (others.length === 0) return { port: socket.port, rule: "tuple free" };
  return refused(
    "EADDRNOTAVAIL",
    "tuple in use",
    others.map(({ id }) => id),
  );
}

/** A connection with itself is made by the destination's own port: possible, and the last that is thought of. */
function* portsToConnect(range: readonly [number, number], own: number, wanted: number | undefined): Generator<number> {
  let isLeft = false;
  for (const port of candidates(range, wanted)) {
    if (port === own && port !== wanted) isLeft = true;
    else yield port;
  }
  if (isLeft) yield own;
}

/** A port that only sockets bound by connect have, and no connection with these ends (__inet_hash_connect). */
function chosenPort(
  draft: Draft,
  socket: DraftSocket,
  peer: Endpoint,
  wanted: number | undefined,
  givesWay: GivesWay,
): Answer | Place {
  const blockers = new Set<string>();
  for (const port of portsToConnect(localPortRange(draft, socket), peer.port, wanted)) {
    if (isReserved(draft, port)) continue;
    const bucket = draft.buckets.get(port);
    if (!bucket) return { port, rule: "connect binds" };
    const isIdle = bucket.fastReuse === -1 && bucket.fastReusePort === -1;
    const others = between(draft, { address: socket.address, port }, peer);
    const standing = others.filter((other) => matchesDevice(socket, other));
    if (isIdle && standing.length === 0) return { port, rule: "connect binds" };
    const [replaced, ...more] = standing;
    if (isIdle && more.length === 0 && isMini(replaced!) && givesWay(replaced!, false)) {
      return { port, rule: "tuple of TIME-WAIT", replaced: replaced! };
    }
    for (const id of isIdle ? standing.map((other) => other.id) : bucket.places.flatMap((place) => place.owners)) {
      blockers.add(id);
    }
  }
  return refused("EADDRNOTAVAIL", "no port left to connect", [...blockers]);
}

/** The sockets that listen at this port, whatever their address. */
export function listenersAt({ sockets }: { sockets: ReadonlyMap<string, Socket> }, port: number): Socket[] {
  return [...sockets.values()].filter((socket) => socket.state === "LISTEN" && socket.port === port);
}

/** The listeners that may be given a connection to this end, which comes in over `device`: the best first. */
export function listenersFor(draft: Draft, { address, port }: Endpoint, device = "lo"): DraftSocket[] {
  const isIpv4 = !isIpv6(address) || isMapped(address);
  const all = [...draft.sockets.values()].filter(
    (socket) =>
      socket.state === "LISTEN" &&
      socket.port === port &&
      (isIpv4 ? !socket.ipv6Only : socket.family === "IPv6" && !isMapped(socket.address)) &&
      (socket.device === "" || socket.device === device),
  );
  const score = (socket: DraftSocket) => (socket.device === "" ? 1 : 2) + (isIpv4 && socket.family === "IPv4" ? 1 : 0);
  const own = all.filter((socket) => asIpv6(socket.address) === asIpv6(address));
  const found = own.length > 0 ? own : all.filter((socket) => isWildcard(socket.address));
  return found.sort((a, b) => score(b) - score(a));
}

/** The listener's end of the new connection (tcp_v4_syn_recv_sock, inet_csk_clone_lock). */
export function makeChild(
  draft: Draft,
  listener: DraftSocket,
  local: Endpoint,
  peer: Endpoint,
  id = `${listener.id}/${++draft.made}`,
): DraftSocket {
  const own = (address: string) => (listener.family === "IPv6" ? asIpv6(address) : asIpv4(address));
  const child: DraftSocket = {
    ...listener,
    id,
    state: "ESTABLISHED",
    holder: "queue",
    address: own(local.address),
    peer: { address: own(peer.address), port: peer.port },
    lockedPort: false,
    wasConnected: true,
    queue: [],
  };
  draft.sockets.set(child.id, child);
  inheritPort(draft, listener, child);
  listener.queue.push(child.id);
  return child;
}

/** The destination is the socket's own end: a simultaneous open, in which an earlier shutdown takes effect at once. */
function meetItself(draft: Draft, socket: DraftSocket, done: Answer): Answer {
  socket.state = "ESTABLISHED";
  if (!socket.shutWrite) return done;
  sendFin(draft, socket);
  disconnect(draft, socket);
  return refused("ECONNABORTED", "shut down before");
}

/** What the SYN finds at the other end, on this host. */
function deliver(draft: Draft, socket: DraftSocket, rule: RuleName, choice: Choice): Answer {
  const { address, port } = socket;
  const peer = socket.peer!;
  const done = granted(rule, { address, port });
  const there = between(draft, peer, socket);
  const timeWait = there.find(isMini);
  const listeners = listenersFor(draft, peer);
  const listener = listeners.find(({ id }) => id === choice.listener) ?? listeners[0];
  if (there.includes(socket)) return meetItself(draft, socket, done);
  if (there.some((other) => other !== timeWait) || (timeWait && (!listener || timeWait.state !== "TIME-WAIT"))) {
    return waits("other end in use", { ...done, outcome: "waits", rule: "other end in use" });
  }
  if (!listener) {
    finish(draft, socket);
    disconnect(draft, socket);
    return { ...refused("ECONNREFUSED", "no listener"), address, port };
  }
  if (listener.queue.length > listener.backlog) return { ...waits("queue full"), address, port };
  if (timeWait) removeTimeWait(draft, timeWait);
  socket.state = "ESTABLISHED";
  const child = makeChild(draft, listener, peer, { address, port });
  if (child.shutWrite) sendFin(draft, child);
  return { ...done, listener: listener.id };
}

/**
 * Takes the ends of a connection, and leaves the socket in SYN-SENT: the rule by which it may have them. Otherwise an
 * answer that says why there is nothing to send.
 */
export function open(
  draft: Draft,
  socket: DraftSocket,
  to: Endpoint,
  wanted: number | undefined,
  givesWay: GivesWay = (_, isBound) => isBound && draft.host.timestamps,
): Answer | { opened: RuleName; replaced?: Socket } {
  if (socket.wasConnected || socket.state !== "CLOSED") return refused("EISCONN", "is connected");
  const target = destinationOf(socket, to.address);
  if (typeof target !== "string") return target;
  const source = sourceOf(draft, socket, target);
  if (typeof source !== "string") return source;
  if (isWildcard(socket.address)) moveAddress(draft, socket, source);
  const peer = { address: target, port: to.port };
  const speaksIpv4 = isMapped(target);
  const choose = socket.port === 0;
  const place = choose ? chosenPort(draft, socket, peer, wanted, givesWay) : boundPort(draft, socket, peer, givesWay);
  if ("outcome" in place) {
    finish(draft, socket);
    resetAddress(draft, socket);
    return place;
  }
  const { port, rule, replaced } = place;
  if (replaced) removeTimeWait(draft, replaced);
  if (socket.speaksIpv4 && !speaksIpv4) return { ...waits("speaks IPv4"), address: socket.address, port };
  socket.speaksIpv4 = speaksIpv4;
  socket.peer = peer;
  socket.state = "SYN-SENT";
  socket.wasConnected = true;
  if (socket.port === 0) {
    addOwner(socket, ensurePlace(draft, port, socket.address, -1).place, port);
    socket.connectBound = true;
  }
  return { opened: rule, ...(replaced && { replaced }) };
}

export function connect(draft: Draft, socket: DraftSocket, to: Endpoint, choice: Choice): Answer {
  const result = open(draft, socket, to, choice.port);
  if ("outcome" in result) return result;
  const { address } = socket.peer!;
  const isLocal = localAddress(draft.host, isMapped(address) ? asIpv4(address) : address) !== undefined;
  if (!isLocal) return { ...waits("peer decides"), address: socket.address, port: socket.port };
  return deliver(draft, socket, result.opened, choice);
}
