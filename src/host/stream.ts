/** read, write, shutdown, poll and ioctl on a socket (net/ipv4/tcp.c). */
import { dataLength, type Call, type Data, type PollEvent, type Result } from "../call/call.ts";
import { seqDiff } from "../codec/seq.ts";
import * as tcp from "../tcp/index.ts";
import type { Connection } from "../tcp/index.ts";
import { shutdown as shutdownPort } from "../bind/connection.ts";
import { followChange } from "./connections.ts";
import { portsToChange, type Host, type HostSocket } from "./host.ts";
import { stopListener } from "./closing.ts";
import { failure, failureOf, success } from "./result.ts";

const isOpening = ({ state }: Connection) => state === "SYN-SENT" || state === "SYN-RECEIVED";
/** Nothing is left of the connection but what its socket remembers: Linux keeps TIME-WAIT apart from the socket. */
const isOver = ({ state }: Connection) => state === "CLOSED" || state === "TIME-WAIT";

/** What went wrong, told once (sock_error). */
function takeError(socket: HostSocket): Result | undefined {
  const { error } = socket;
  if (error === 0) return undefined;
  socket.error = 0;
  return failureOf(error);
}

/** tcp_recvmsg_locked; null: it blocks. */
export function read(host: Host, socket: HostSocket, length: number): Result | null {
  const c = socket.connection;
  if (c === null) {
    if (host.ports.sockets.get(socket.id)!.state === "LISTEN") return failure("ENOTCONN");
    const error = takeError(socket);
    return error ?? (socket.shutRead ? success(0, { bytes: new Uint8Array() }) : failure("ENOTCONN"));
  }
  if (isOpening(c)) return null;
  if (c.receiveLength > 0) {
    const bytes = tcp.receive(c, length)!;
    followChange(host, socket, c.state);
    return success(bytes.length, { bytes });
  }
  if (tcp.finReceived(c)) {
    socket.endRead = true;
    return success(0, { bytes: new Uint8Array() });
  }
  const error = takeError(socket);
  if (error) return error;
  return socket.shutRead || isOver(c) ? success(0, { bytes: new Uint8Array() }) : null;
}

/** Its sending side has been shut down, perhaps before there was a connection. */
function isShut({ ports }: Host, { id, connection }: HostSocket): boolean {
  return (connection !== null && connection.finSeq !== null) || ports.sockets.get(id)!.shutWrite;
}

/** The bytes of `data` from `from` on, at most `most` of them. */
function bytesOf(data: Data, from: number, most: number): Uint8Array {
  if (typeof data === "string") return new TextEncoder().encode(data).subarray(from, from + most);
  const pattern = new TextEncoder().encode(data.repeat);
  const bytes = new Uint8Array(Math.max(0, Math.min(most, data.length - from)));
  if (pattern.length > 0) for (let i = 0; i < bytes.length; i++) bytes[i] = pattern[(from + i) % pattern.length]!;
  return bytes;
}

/** What a blocking write has come to: its result, or how much of it has been taken. */
export type Written = { result: Result } | { written: number };

/** tcp_sendmsg_locked: returns when all is taken, or what was taken before an error. */
export function write(host: Host, socket: HostSocket, call: Call & { name: "write" }, written: number): Written {
  const c = socket.connection;
  if (c !== null && isOpening(c) && socket.error === 0) return { written };
  const room = c === null || isShut(host, socket) ? undefined : tcp.sendRoom(c);
  if (c === null || room === undefined || socket.error !== 0) {
    if (written > 0) return { result: success(written) };
    return { result: takeError(socket) ?? failure("EPIPE") };
  }
  const taken = tcp.send(c, bytesOf(call.data, written, room), call.more)!;
  followChange(host, socket, c.state);
  const total = written + taken;
  return total === dataLength(call.data) ? { result: success(total) } : { written: total };
}

/** inet_shutdown */
export function shutdown(host: Host, nowUs: number, socket: HostSocket, how: "read" | "write" | "both"): Result {
  const c = socket.connection;
  const isListener = host.ports.sockets.get(socket.id)!.state === "LISTEN";
  if (isListener) {
    if (how !== "write") stopListener(host, nowUs, socket);
    return success();
  }
  if (how !== "write") socket.shutRead = true;
  if (c === null || isOver(c)) {
    // Refused, and remembered all the same.
    if (c === null) shutdownPort(portsToChange(host), portsToChange(host).sockets.get(socket.id)!, how);
    return failure("ENOTCONN");
  }
  if (how !== "write") c.deaf = true;
  if (how === "read" && c.state !== "SYN-SENT") return success();
  const before = c.state;
  tcp.shutdown(c);
  followChange(host, socket, before);
  return success();
}

/** tcp_poll */
export function poll(host: Host, socket: HostSocket): Result {
  const events: PollEvent[] = [];
  const port = host.ports.sockets.get(socket.id)!;
  const c = socket.connection;
  if (port.state === "LISTEN" && c === null) {
    if (port.queue.length > 0) events.push("IN");
    return success(events.length, { events });
  }
  const opening = c !== null && isOpening(c);
  const over = c === null || isOver(c);
  const ended = socket.shutRead || (c !== null && (over || tcp.finReceived(c)));
  const shut = (c !== null && over) || isShut(host, socket);
  const hasData = c !== null && c.receiveLength > 0;
  const hasRoom = c === null || 2 * c.sendLength < c.settings.sendBuffer;
  if (ended || (hasData && !opening)) events.push("IN");
  if (!opening && (shut || hasRoom)) events.push("OUT");
  if (socket.error !== 0) events.push("ERR");
  if (over || (ended && shut)) events.push("HUP");
  if (ended) events.push("RDHUP");
  return success(events.length > 0 ? 1 : 0, { events });
}

/** What has been written and not acknowledged; a SYN and a FIN count as bytes. */
export function unacknowledged(c: Connection): number {
  if (isOver(c)) return seqDiff(c.sndNxt, c.sndUna);
  const syn = c.sndUna === c.iss && seqDiff(c.sndNxt, c.iss) > 0 ? 1 : 0;
  const fin = c.finSeq !== null && !tcp.finAcknowledged(c) ? 1 : 0;
  return c.sendLength + syn + fin;
}

/** tcp_ioctl */
export function ioctl(host: Host, socket: HostSocket, request: "SIOCINQ" | "SIOCOUTQ"): Result {
  const c = socket.connection;
  if (c === null) {
    return host.ports.sockets.get(socket.id)!.state === "LISTEN" ? failure("EINVAL") : success();
  }
  if (isOpening(c)) return success();
  return success(request === "SIOCINQ" ? c.receiveLength : unacknowledged(c));
}
