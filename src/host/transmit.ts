/** What goes out of a host, and its timers. */
import { RST } from "../codec/tcp.ts";
import * as tcp from "../tcp/index.ts";
import { handlePacket } from "./arrival.ts";
import { followChange, packetOf } from "./connections.ts";
import { order } from "./order.ts";
import { deviceOf, socketToChange, type Host, type HostPacket } from "./host.ts";

/** The next packet of this socket's connection. One that nobody has any more goes when it has said its last. */
function pollSocket(host: Host, nowUs: number, id: string): HostPacket | undefined {
  if (!host.sockets.get(id)?.connection) return undefined;
  const socket = socketToChange(host, id);
  const c = socket.connection!;
  const segment = tcp.pollTransmit(c, nowUs);
  if (segment) return packetOf(host, socket, segment);
  if (c.state === "CLOSED" && socket.references === 0 && !isQueued(host, id)) host.sockets.delete(id);
  return undefined;
}

/** It waits to be accepted, even if it is over. */
function isQueued(host: Host, id: string): boolean {
  const { listener } = host.sockets.get(id)!;
  return listener !== null && (host.ports.sockets.get(listener)?.queue.includes(id) ?? false);
}

function next(host: Host, nowUs: number): HostPacket | undefined {
  const [reply] = host.replies;
  if (reply) {
    host.replies = host.replies.slice(1);
    return reply;
  }
  for (let id; (id = host.ready[0]) !== undefined;) {
    const packet = pollSocket(host, nowUs, id);
    if (packet) return packet;
    host.ready = host.ready.slice(1);
  }
  return undefined;
}

function count({ counters }: Host, { segment }: HostPacket): void {
  counters.OutSegs++;
  if (segment.flags & RST) counters.OutRsts++;
}

/** The next packet to another host; undefined if there is none now. Those to the host itself arrive on the way. */
export function pollTransmit(host: Host, nowUs: number): HostPacket | undefined {
  for (let packet; (packet = next(host, nowUs)) !== undefined;) {
    count(host, packet);
    if (deviceOf(host, packet.destination) === undefined) return packet;
    handlePacket(host, nowUs, packet);
  }
  return undefined;
}

/** The next packet to the host itself. Those to others stay where they are. */
function nextLocal(host: Host, nowUs: number): HostPacket | undefined {
  const reply = host.replies.find(({ destination }) => deviceOf(host, destination) !== undefined);
  if (reply) {
    host.replies = host.replies.filter((other) => other !== reply);
    return reply;
  }
  for (const id of host.ready) {
    if (!host.sockets.get(id)?.loopback) continue;
    const packet = pollSocket(host, nowUs, id);
    if (packet) return packet;
    host.ready = host.ready.filter((other) => other !== id);
  }
  return undefined;
}

/** What the host has to say to itself is said within the call that it comes from, as over a loopback device. */
export function deliverLocally(host: Host, nowUs: number): void {
  for (let packet; (packet = nextLocal(host, nowUs)) !== undefined;) {
    count(host, packet);
    handlePacket(host, nowUs, packet);
  }
}

/** When `handleTimeout` has to be called, microseconds; undefined if no timer runs. */
export function pollTimeout(host: Host): number | undefined {
  let least = Infinity;
  for (const { connection } of host.sockets.values()) {
    const atUs = connection ? tcp.pollTimeout(connection) : undefined;
    if (atUs !== undefined && atUs < least) least = atUs;
  }
  for (const { blocked } of host.processes.values()) {
    for (const { deadlineUs } of blocked) if (deadlineUs !== null && deadlineUs < least) least = deadlineUs;
  }
  return least === Infinity ? undefined : least;
}

/** The sockets whose timers are due, those of the earlier processes and descriptors first. */
function dueSockets(host: Host, nowUs: number): string[] {
  const due: string[] = [];
  for (const { id, connection } of host.sockets.values()) {
    const atUs = connection ? tcp.pollTimeout(connection) : undefined;
    if (atUs !== undefined && atUs <= nowUs) due.push(id);
  }
  if (due.length < 2) return due;
  const places = order(host);
  return due.sort((a, b) => places.get(a)! - places.get(b)!);
}

/** Does what is due by now; before its time nothing happens. Blocked calls whose time has come return when resumed. */
export function handleTimeout(host: Host, nowUs: number): void {
  for (const id of dueSockets(host, nowUs)) {
    const socket = socketToChange(host, id);
    const before = socket.connection!.state;
    tcp.handleTimeout(socket.connection!, nowUs);
    followChange(host, socket, before);
  }
  deliverLocally(host, nowUs);
}
