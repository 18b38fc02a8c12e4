/** How sockets go: by close, by their process's end, by SOCK_DESTROY (inet_release, tcp_close, tcp_abort). */
import { shutdown } from "../bind/connection.ts";
import { abandon, stopListening } from "../bind/follow.ts";
import { ERRNO } from "../call/errno.ts";
import * as tcp from "../tcp/index.ts";
import { followChange, isSmall, limitTimeWaits, orphanFinWait2Us } from "./connections.ts";
import { portsToChange, socketToChange, type Host, type HostSocket } from "./host.ts";
import { deliverLocally } from "./transmit.ts";

/** Connections that nobody accepted are reset with their listener, requests forgotten (inet_csk_listen_stop). */
function dropWaiting(host: Host, nowUs: number, listener: string, queue: readonly string[]): void {
  for (const id of queue) {
    const socket = socketToChange(host, id);
    const c = socket.connection!;
    const before = c.state;
    socket.listener = null;
    tcp.abort(c, nowUs);
    abandon(portsToChange(host), id);
    followChange(host, socket, before);
  }
  for (const { id, listener: its } of host.sockets.values()) if (its === listener) host.sockets.delete(id);
}

/** The socket listens no more. */
export function stopListener(host: Host, nowUs: number, { id }: HostSocket): void {
  const { queue } = host.ports.sockets.get(id)!;
  stopListening(portsToChange(host), id);
  socketToChange(host, id).shutRead = false;
  dropWaiting(host, nowUs, id, queue);
}

/** The socket's last descriptor is closed. */
function release(host: Host, nowUs: number, socket: HostSocket): void {
  const c = socket.connection;
  if (c === null || c.state === "CLOSED") {
    const { queue } = host.ports.sockets.get(socket.id)!;
    abandon(portsToChange(host), socket.id);
    if (c === null) {
      host.sockets.delete(socket.id);
      dropWaiting(host, nowUs, socket.id, queue);
    } else {
      followChange(host, socket, c.state);
    }
    return;
  }
  const before = c.state;
  // What a lingering FIN-WAIT-2 lasts is looked up now.
  const own = { ...c, settings: { ...c.settings, orphanFinWait2Us: orphanFinWait2Us(host, socket.options) } };
  socket.connection = own;
  // TIME-WAIT is apart from the socket: neither lingering nor what has not been read is its business.
  const rests = before === "TIME-WAIT";
  if (rests) Object.assign(own, { receiveQueue: [], receiveLength: 0 });
  if (socket.options.lingerS === 0 && !rests) tcp.abort(own, nowUs);
  else tcp.close(own, nowUs);
  if (before === "FIN-WAIT-2") limitTimeWaits(host, socket);
  abandon(portsToChange(host), socket.id);
  followChange(host, socket, before);
}

/** One descriptor less; the last one takes the socket with it. */
export function dereference(host: Host, nowUs: number, id: string): void {
  const socket = socketToChange(host, id);
  if (--socket.references === 0) release(host, nowUs, socket);
}

/** Whether close has nothing to wait for: the FIN is acknowledged, or there is nobody to do it (sk_stream_wait_close). */
export function hasLingered(host: Host, id: string): boolean {
  const c = host.sockets.get(id)?.connection;
  return !c || (c.state !== "FIN-WAIT-1" && c.state !== "CLOSING" && c.state !== "LAST-ACK");
}

/** Removes a socket as no program can (SOCK_DESTROY). A listener keeps its port, and listens no more. */
export function destroySocket(host: Host, nowUs: number, id: string): void {
  const socket = socketToChange(host, id);
  const c = socket.connection;
  if (c !== null) {
    destroyConnection(host, nowUs, socket, c);
  } else if (host.ports.sockets.get(id)?.state === "LISTEN") {
    stopListener(host, nowUs, socket);
    Object.assign(socket, { error: ERRNO.ECONNABORTED, shutRead: true });
    shutdown(portsToChange(host), portsToChange(host).sockets.get(id)!, "both");
  }
  deliverLocally(host, nowUs);
}

/** What has been received stays to be read. Of what is kept as a small socket, or a request, the peer is not told. */
function destroyConnection(host: Host, nowUs: number, socket: HostSocket, c: tcp.Connection): void {
  const { state: before, orphaned, receiveQueue, receiveLength } = c;
  if (isSmall(socket) || (before === "SYN-RECEIVED" && c.passive)) tcp.becomeClosed(c);
  else tcp.abort(c, nowUs);
  Object.assign(c, { orphaned, receiveQueue, receiveLength });
  if (socket.references > 0) socket.error = ERRNO.ECONNABORTED;
  followChange(host, socket, before);
}
