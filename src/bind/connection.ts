/** How connections end, as far as ports are concerned (net/ipv4/tcp.c, tcp_input.c, tcp_minisocks.c); no data is sent. */
import { granted, refused, waits, type Answer } from "./answer.ts";
import { asIpv6 } from "./address.ts";
import { putPort, resetAddress, settle, shareWith } from "./buckets.ts";
import { socketOf, type Draft, type DraftSocket } from "./draft.ts";

const CONNECTED = new Set(["ESTABLISHED", "CLOSE-WAIT", "FIN-WAIT-2"]);

function isFrom(socket: DraftSocket, local: { address: string; port: number }): boolean {
  return asIpv6(socket.address) === asIpv6(local.address) && socket.port === local.port;
}

/** The sockets between these two ends, seen from the first one's side. */
export function between(
  draft: Draft,
  local: { address: string; port: number },
  peer: { address: string; port: number },
): DraftSocket[] {
  return [...draft.sockets.values()].filter(
    (socket) =>
      socket.peer !== undefined &&
      isFrom(socket, local) &&
      socket.peer.port === peer.port &&
      asIpv6(socket.peer.address) === asIpv6(peer.address),
  );
}

/** The other end of a connection, while there is one. */
function counterpart(draft: Draft, socket: DraftSocket): DraftSocket | undefined {
  if (!socket.peer) return undefined;
  return between(draft, socket.peer, socket).find(({ state }) => state !== "TIME-WAIT");
}

/** tcp_done: the socket is CLOSED; it keeps its port only if bind gave it that. */
export function finish(draft: Draft, socket: DraftSocket): void {
  socket.state = "CLOSED";
  delete socket.peer;
  if (!socket.lockedPort) putPort(draft, socket);
}

export function remove(draft: Draft, socket: DraftSocket): void {
  putPort(draft, socket);
  draft.sockets.delete(socket.id);
}

/** A socket that nobody has goes when it is done; others stay for their descriptor, or for accept. */
export function finishOrRemove(draft: Draft, socket: DraftSocket): void {
  if (socket.holder === "nobody") remove(draft, socket);
  else finish(draft, socket);
}

/** A socket that is used again after a connection with itself can leave more than one behind. */
function timeWaitName(draft: Draft, { id }: DraftSocket): string {
  const name = `${id}/time-wait`;
  for (let count = 1; ; count++) {
    const numbered = count === 1 ? name : `${name}-${count}`;
    if (!draft.sockets.has(numbered)) return numbered;
  }
}

/** The connection ends in TIME-WAIT (tcp_time_wait): a socket that somebody has leaves a second one behind. */
export function becomeTimeWait(draft: Draft, socket: DraftSocket): void {
  if (socket.holder === "nobody") {
    socket.state = "TIME-WAIT";
    return;
  }
  const timeWait: DraftSocket = {
    ...socket,
    id: timeWaitName(draft, socket),
    state: "TIME-WAIT",
    holder: "nobody",
    queue: [],
  };
  draft.sockets.set(timeWait.id, timeWait);
  shareWith(draft, socket, timeWait);
  finish(draft, socket);
}

/** A TIME-WAIT gives way (inet_twsk_kill). */
export function removeTimeWait(draft: Draft, socket: DraftSocket): void {
  remove(draft, socket);
}

/** A RST arrives (tcp_reset). */
function resetArrives(draft: Draft, socket: DraftSocket | undefined): void {
  if (socket) finishOrRemove(draft, socket);
}

/** The socket sends a FIN; what it and its peer become when both have seen all there is to see. */
export function sendFin(draft: Draft, socket: DraftSocket): void {
  const peer = counterpart(draft, socket);
  if (peer === socket) {
    becomeTimeWait(draft, socket); // connected to itself: a simultaneous close
  } else if (socket.state === "CLOSE-WAIT") {
    if (peer?.state === "FIN-WAIT-2") becomeTimeWait(draft, peer);
    finishOrRemove(draft, socket);
  } else {
    socket.state = "FIN-WAIT-2";
    if (peer) peer.state = "CLOSE-WAIT";
  }
}

/** Connections that nobody accepted are reset with their listener (inet_csk_listen_stop). */
function dropQueue(draft: Draft, listener: DraftSocket): void {
  for (const id of listener.queue.splice(0)) {
    const child = socketOf(draft, id);
    const peer = counterpart(draft, child);
    remove(draft, child);
    resetArrives(draft, peer);
  }
}

/** A socket that is CLOSED can be used again (the end of tcp_disconnect). */
export function disconnect(draft: Draft, socket: DraftSocket): void {
  resetAddress(draft, socket);
  socket.wasConnected = false;
  socket.shutWrite = false;
}

export function close(draft: Draft, socket: DraftSocket): Answer {
  const { state } = socket;
  if (CONNECTED.has(state) && socket.aborts) {
    const peer = counterpart(draft, socket);
    remove(draft, socket);
    if (peer !== socket) resetArrives(draft, peer);
  } else if (state === "ESTABLISHED" || state === "CLOSE-WAIT") {
    socket.holder = "nobody";
    sendFin(draft, socket);
    if (draft.sockets.has(socket.id)) settle(draft, socket);
  } else if (state === "FIN-WAIT-2") {
    socket.holder = "nobody";
    settle(draft, socket);
  } else {
    remove(draft, socket);
    if (state === "LISTEN") dropQueue(draft, socket);
  }
  return granted("done");
}

/** inet_shutdown */
export function shutdown(draft: Draft, socket: DraftSocket, how: "read" | "write" | "both"): Answer {
  const { state } = socket;
  if (state === "CLOSED") {
    if (how !== "read") socket.shutWrite = true;
    return refused("ENOTCONN", "not connected");
  }
  if (state === "LISTEN" || state === "SYN-SENT") {
    if (state === "LISTEN" && how === "write") return granted("done");
    finish(draft, socket);
    dropQueue(draft, socket);
    disconnect(draft, socket);
  } else if (how !== "read" && (state === "ESTABLISHED" || state === "CLOSE-WAIT")) {
    sendFin(draft, socket);
  }
  return granted("done");
}

/** The oldest connection of the queue, under a name of its own (inet_csk_accept). */
export function accept(draft: Draft, listener: DraftSocket, name: string, uid: number | undefined): Answer {
  if (listener.state !== "LISTEN") return refused("EINVAL", "not listening");
  const id = listener.queue.shift();
  if (id === undefined) return waits("nothing to accept");
  const child = socketOf(draft, id);
  draft.sockets.delete(id);
  draft.sockets.set(name, child);
  for (const { owners } of draft.buckets.get(child.port)?.places ?? []) {
    const at = owners.indexOf(id);
    if (at >= 0) owners[at] = name;
  }
  child.id = name;
  child.holder = "process";
  child.uid = uid;
  return granted("done", { accepted: name });
}
