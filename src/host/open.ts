/** socket, bind, listen, accept and connect. */
import type { Endpoint, Result } from "../call/call.ts";
import { canonical } from "../bind/address.ts";
import type { Answer } from "../bind/answer.ts";
import { accept as acceptPort, disconnect } from "../bind/connection.ts";
import { open } from "../bind/connect.ts";
import { perform, type Request } from "../bind/requests.ts";
import { connect as openConnection, yieldsTo } from "../tcp/index.ts";
import { endTimeWait } from "./arrival.ts";
import { connectionSettings, makeSocket, NOWHERE, numberFor, plain } from "./connections.ts";
import {
  deviceOf,
  markReady,
  portsToChange,
  socketToChange,
  type Host,
  type HostSocket,
  type Process,
} from "./host.ts";
import { numberOf } from "./parameters.ts";
import { failure, failureOf, success } from "./result.ts";

function resultOf(answer: Answer): Result {
  return answer.outcome === "refused" ? failureOf(answer.errno!) : success();
}

/** Asks the rules of binding, as this user. */
export function askPorts(host: Host, { uid }: Process, request: Request): Result {
  const ports = portsToChange(host);
  if (ports.host.mayBindPrivileged !== (uid === 0)) ports.host = { ...ports.host, mayBindPrivileged: uid === 0 };
  if ("address" in request && canonical(request.address) === undefined) return failure("EINVAL");
  const hadPort = request.name !== "socket" && ports.sockets.get(request.socket)!.port !== 0;
  const answer = perform(ports, request, { port: host.nextPort });
  const isChosen = request.name === "listen" ? !hadPort : request.name === "bind" && request.port === 0;
  if (isChosen) notePort(host, answer.port);
  return resultOf(answer);
}

/** A port has been chosen. */
function notePort(host: Host, port: number | undefined): void {
  if (port) host.nextPort = port + 1;
}

export function socket(host: Host, process: Process, family: "IPv4" | "IPv6"): HostSocket {
  const made = makeSocket(host, family);
  askPorts(host, process, { name: "socket", socket: made.id, family, uid: process.uid });
  return made;
}

export function bind(host: Host, process: Process, id: string, { address, port }: Endpoint): Result {
  const result = askPorts(host, process, { name: "bind", socket: id, address, port });
  const isAsked = result.ok || result.code === "EADDRINUSE";
  if (isAsked && host.sockets.get(id)!.connection?.state === "CLOSED") {
    // What is over has its old address no more, and the new one only if it may.
    const own = host.ports.sockets.get(id)!;
    const socket = socketToChange(host, id);
    socket.local = { address: plain(own.address), port: own.port || socket.local.port };
  }
  return result;
}

export function listen(host: Host, process: Process, { id, connection }: HostSocket, backlog: number): Result {
  if (connection !== null && connection.state !== "CLOSED") return failure("EINVAL");
  return askPorts(host, process, { name: "listen", socket: id, backlog });
}

/** inet_csk_accept: the oldest connection of the queue; null: it blocks. */
export function accept(host: Host, { uid }: Process, { id }: HostSocket): HostSocket | Result | null {
  const port = host.ports.sockets.get(id)!;
  if (port.state !== "LISTEN") return failure("EINVAL");
  const [oldest] = port.queue;
  if (oldest === undefined) return null;
  const ports = portsToChange(host);
  acceptPort(ports, ports.sockets.get(id)!, oldest, uid);
  const accepted = socketToChange(host, oldest);
  accepted.listener = null;
  return accepted;
}

/** The socket of the host's that a TIME-WAIT among the ports was, or is. */
function socketOf(host: Host, id: string): string {
  return host.sockets.has(id) ? id : id.split("/")[0]!;
}

/** The number that the new connection has to begin with where it takes the place of a TIME-WAIT (tcp_twsk_unique). */
function numberAfter(host: Host, nowUs: number, id: string, isBound: boolean) {
  const c = host.sockets.get(socketOf(host, id))?.connection;
  if (!c || c.state !== "TIME-WAIT") return undefined;
  if (isBound) return yieldsTo(c, nowUs, -1);
  // 2, the default, is for loopback only, which is not asked for here.
  if (numberOf(host.parameters, "net.ipv4.tcp_tw_reuse") !== 1) return undefined;
  return yieldsTo(c, nowUs, numberOf(host.parameters, "net.ipv4.tcp_tw_reuse_delay") * 1000);
}

/** tcp_v4_connect: a SYN is to be sent, or why not. */
export function beginConnect(host: Host, nowUs: number, id: string, to: Endpoint): Result | null {
  const ports = portsToChange(host);
  const port = ports.sockets.get(id)!;
  const wasBound = port.port !== 0;
  const address = canonical(to.address);
  if (address === undefined) return failure("EINVAL");
  const existing = host.sockets.get(id)!.connection;
  // A second connect waits for the first one's connection.
  if (existing?.state === "SYN-SENT" || existing?.state === "SYN-RECEIVED") return null;
  const result = open(ports, port, { address, port: to.port }, host.nextPort, (timeWait, isBound) => {
    return numberAfter(host, nowUs, timeWait.id, isBound) !== undefined;
  });
  if (!wasBound) notePort(host, port.port);
  if ("outcome" in result) return result.outcome === "refused" ? resultOf(result) : null;
  const replaced = result.replaced && socketOf(host, result.replaced.id);
  const iss = replaced === undefined ? undefined : numberAfter(host, nowUs, replaced, wasBound);
  if (replaced !== undefined) endTimeWait(host, socketToChange(host, replaced));
  const socket = socketToChange(host, id);
  socket.local = { address: plain(port.address), port: port.port };
  socket.peer = { address: plain(port.peer!.address), port: to.port };
  socket.loopback = deviceOf(host, socket.peer.address) !== undefined;
  const settings = connectionSettings(host, socket.options, socket.local, socket.peer);
  socket.connection = {
    ...openConnection(settings, iss ?? numberFor(host, socket.local, socket.peer, nowUs)),
    deaf: socket.shutRead,
  };
  socket.error = 0;
  host.counters.ActiveOpens++;
  markReady(host, id);
  return null;
}

/**
 * The connection has come to TIME-WAIT while its socket was still to be connected, as one with itself can: it goes on under
 * a name of its own, as it has one among the ports.
 */
function leaveTimeWait(host: Host, socket: HostSocket): void {
  const { connection, local, peer } = socket;
  const ports = [...host.ports.sockets.values()];
  const rest = ports.findLast(({ id, state }) => state === "TIME-WAIT" && id.startsWith(`${socket.id}/`))!;
  host.sockets.set(rest.id, { ...socket, id: rest.id, references: 0, shutRead: false, connection, local, peer });
  disconnect(portsToChange(host), portsToChange(host).sockets.get(socket.id)!);
}

/** What a connect that has begun has come to; null: it blocks. A socket that failed can be used again. */
export function finishConnect(host: Host, id: string): Result | null {
  const { connection } = host.sockets.get(id)!;
  if (connection?.state === "SYN-SENT" || connection?.state === "SYN-RECEIVED") return null;
  const socket = socketToChange(host, id);
  const { error } = socket;
  const isOver = !connection || connection.state === "CLOSED" || connection.state === "TIME-WAIT";
  if (error === 0 && !isOver) return success();
  if (connection?.state === "TIME-WAIT") leaveTimeWait(host, socket);
  // The port that it had is not its own any more, but stays its name (inet_sport).
  const local = { ...NOWHERE, port: socket.local.port };
  Object.assign(socket, { error: 0, connection: null, local, peer: NOWHERE, shutRead: false });
  return error === 0 ? failure("ECONNABORTED") : failureOf(error);
}
