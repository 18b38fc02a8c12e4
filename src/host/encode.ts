/**
 * A host as bytes: two hosts of the same settings have the same bytes if nothing that can still happen to them tells them
 * apart. In which order sockets were made leaves no trace: they are numbered as processes, queues and ends name them.
 */
import { encodeTcp } from "../codec/tcp.ts";
import { STATES } from "../codec/state.ts";
import { ByteWriter, writeConnection } from "../tcp/index.ts";
import type { Socket } from "../bind/state.ts";
import type { BlockedCall, Host, HostPacket } from "./host.ts";
import { order } from "./order.ts";
import type { Parameters } from "./parameters.ts";
import { unacknowledged } from "./stream.ts";
import { turnOf, waiters } from "./waiting.ts";

const STATE_NUMBERS = Object.fromEntries(STATES.map(({ rfc, number }) => [rfc, number]));
const BEHIND = "/time-wait";
const encoder = new TextEncoder();

function writeText(writer: ByteWriter, text: string): void {
  writer.integer(text.length);
  for (let i = 0; i < text.length; i++) writer.integer(text.charCodeAt(i));
}

function writePort(writer: ByteWriter, socket: Socket, numbers: ReadonlyMap<string, number>): void {
  const { state, holder, address, port, reuseAddress, reusePort, ipv6Only, aborts, bindAddressNoPort } = socket;
  const { lockedAddress, lockedPort, connectBound, wasConnected, shutWrite, speaksIpv4, queue, backlog } = socket;
  writer.integer(STATE_NUMBERS[state]!);
  let bits = holder === "process" ? 0 : holder === "queue" ? 1 : 2;
  for (const flag of [
    reuseAddress,
    reusePort,
    ipv6Only,
    aborts,
    bindAddressNoPort,
    lockedAddress,
    lockedPort,
    connectBound,
    wasConnected,
    shutWrite,
    speaksIpv4,
  ]) {
    bits = 2 * bits + (flag ? 1 : 0);
  }
  writer.integer(bits);
  writeText(writer, address);
  writer.integer(port);
  writer.integer(socket.uid ?? -1);
  writeText(writer, socket.device);
  writer.integer(socket.localPortRange[0]);
  writer.integer(socket.localPortRange[1]);
  writer.integer(backlog);
  writer.integer(queue.length);
  for (const id of queue) writer.integer(numbers.get(id)!);
}

/** What the kernel remembers of ports; who has them follows from the sockets. */
function writeBuckets(writer: ByteWriter, host: Host): void {
  const { buckets } = host.ports;
  writer.integer(buckets.size);
  for (const port of [...buckets.keys()].sort((a, b) => a - b)) {
    const { fastReuse, fastReusePort, fast, places } = buckets.get(port)!;
    writer.integer(port);
    writer.integer(fastReuse!);
    writer.integer(fastReusePort!);
    writeText(writer, fast ? `${fast.family} ${fast.address} ${fast.ipv6Only} ${fast.uid}` : "");
    writer.integer(places.length);
    for (const place of places.length > 1 ? places.toSorted((a, b) => (a.address < b.address ? -1 : 1)) : places) {
      writeText(writer, place.address);
      writer.integer(place.fastReuse!);
      writer.integer(place.fastReusePort!);
    }
  }
}

function writeSocket(writer: ByteWriter, host: Host, id: string, numbers: ReadonlyMap<string, number>, nowUs: number) {
  const { references, listener, connection, peer, local, options, error, shutRead, endRead } = host.sockets.get(id)!;
  writer.integer(references);
  writer.nullable(listener === null ? null : (numbers.get(listener) ?? null));
  writer.integer((error << 2) | (shutRead ? 1 : 0) | (endRead ? 2 : 0));
  writer.nullable(options.receiveBuffer);
  writer.nullable(options.sendBuffer);
  writer.nullable(options.hops);
  writer.nullable(options.lingerS);
  writer.nullable(options.finTimeoutS);
  writer.integer(options.noDelay ? 1 : 0);
  const port = host.ports.sockets.get(id);
  writer.integer(port ? 1 : 0);
  if (port) writePort(writer, port, numbers);
  writer.integer(connection ? 1 : 0);
  if (!connection) {
    if (port?.port === 0) writer.integer(local.port);
    return;
  }
  if (connection.state === "CLOSED" && references > 0) writer.integer(unacknowledged(connection));
  writeText(writer, local.address);
  writer.integer(local.port);
  writeText(writer, peer.address);
  writeConnection(writer, connection, nowUs);
}

/** Their order follows from the processes', but among those that wait on one socket: `turn` counts those before this one. */
function writeBlocked(
  writer: ByteWriter,
  waiting: BlockedCall,
  turn: number,
  numbers: ReadonlyMap<string, number>,
  nowUs: number,
) {
  const { id, call, socket, written, deadlineUs } = waiting;
  writer.integer(id);
  writeText(writer, JSON.stringify(call));
  writer.integer(numbers.get(socket) ?? -1);
  writer.integer(turn);
  writer.integer(written);
  writer.nullable(deadlineUs === null ? null : Math.max(0, deadlineUs - nowUs));
}

/** A packet as bytes: its addresses, and the segment as on the wire. */
export function writePacket(writer: ByteWriter, { source, destination, hops, segment }: HostPacket): void {
  writeText(writer, source);
  writeText(writer, destination);
  writer.integer(hops);
  const bytes = encodeTcp(segment);
  writer.integer(bytes.length);
  writer.bytes(bytes);
}

/**
 * Writes the host behind what has been written already; see above. Deadlines count from `nowUs`. Counters are left out:
 * they tell of the past. So are the numbers that are taken from a clock; those that are counted are not.
 */
export function writeHost(writer: ByteWriter, host: Host, nowUs: number): void {
  const numbers = order(host);
  writer.integer(host.settings.numbering.by === "count" ? host.numbered : 0);
  writer.integer(host.nextPort);
  const all = waiters(host);
  writer.integer(host.processes.size);
  for (const { name, uid, descriptors, blocked } of host.processes.values()) {
    writeText(writer, name);
    writer.integer(uid);
    writer.integer(descriptors.size);
    for (const [fd, id] of [...descriptors].sort(([a], [b]) => a - b)) {
      writer.integer(fd);
      writer.integer(numbers.get(id)!);
    }
    writer.integer(blocked.length);
    for (const waiting of blocked) writeBlocked(writer, waiting, turnOf(waiting, all), numbers, nowUs);
  }
  writer.integer(numbers.size);
  for (const id of numbers.keys()) writeSocket(writer, host, id, numbers, nowUs);
  for (const id of numbers.keys()) {
    const rest = host.ports.sockets.get(id + BEHIND);
    writer.integer(rest ? 1 : 0);
    if (rest) writePort(writer, rest, numbers);
  }
  writeBuckets(writer, host);
  writer.integer(host.ready.length);
  for (const id of host.ready) writer.integer(numbers.get(id) ?? -1);
  writer.integer(host.replies.length);
  for (const reply of host.replies) writePacket(writer, reply);
  writeParameters(writer, host);
}

/** Of parameters, which are never changed in place, the bytes: most hosts have the same. */
const parameterBytes = new WeakMap<Parameters, Uint8Array>();

/** In the order of their names. */
function writeParameters(writer: ByteWriter, { parameters }: Host): void {
  let bytes = parameterBytes.get(parameters);
  if (!bytes) {
    const names = Object.keys(parameters).sort() as (keyof Parameters)[];
    bytes = encoder.encode(names.map((name) => `${name}=${parameters[name]}\0`).join(""));
    parameterBytes.set(parameters, bytes);
  }
  writer.integer(bytes.length);
  writer.bytes(bytes);
}
