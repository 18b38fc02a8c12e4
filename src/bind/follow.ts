/**
 * What becomes of a host's ports while its connections are made, and end, by a TCP of its own: where connection.ts tells of
 * two ends that see each other's every move, these are told what has happened to one. A state in the making is changed.
 */
import type { Endpoint } from "../call/call.ts";
import type { TcpState } from "../codec/state.ts";
import { settle } from "./buckets.ts";
import { makeChild } from "./connect.ts";
import { becomeTimeWait, disconnect, finish, finishOrRemove, remove } from "./connection.ts";
import { socketOf, type Draft } from "./draft.ts";

/** The id of the TIME-WAIT that a socket leaves behind which somebody still has. */
const behind = (id: string) => `${id}/time-wait`;

/** A SYN of another end's has led to a connection: it waits in the listener's queue under this id. */
export function establish(draft: Draft, listener: string, id: string, local: Endpoint, peer: Endpoint): void {
  makeChild(draft, socketOf(draft, listener), local, peer, id);
}

/** The socket's connection has come to this state. */
export function follow(draft: Draft, id: string, state: TcpState): void {
  const socket = draft.sockets.get(id);
  // A socket that is connected anew is told of its own connection, not of the one that it has left behind.
  const isAnew = socket !== undefined && socket.state !== "CLOSED" && socket.state !== "LISTEN";
  const resting = isAnew ? socket : (draft.sockets.get(behind(id)) ?? socket);
  if (!resting) return;
  if (resting !== socket || resting.state === "TIME-WAIT") {
    if (state === "CLOSED") remove(draft, resting);
  } else if (state === "TIME-WAIT") {
    becomeTimeWait(draft, socket);
    if (socket.holder === "nobody") settle(draft, socket);
  } else if (state === "CLOSED") {
    const wasOpening = socket.state === "SYN-SENT";
    finishOrRemove(draft, socket);
    if (wasOpening) disconnect(draft, socket);
  } else {
    socket.state = state;
    if (socket.holder === "nobody" && state === "FIN-WAIT-2") settle(draft, socket);
  }
}

/** The last descriptor is closed. What has no connection is no more. */
export function abandon(draft: Draft, id: string): void {
  const socket = draft.sockets.get(id);
  if (!socket) return;
  if (socket.state === "CLOSED" || socket.state === "LISTEN" || socket.state === "SYN-SENT") {
    remove(draft, socket);
    return;
  }
  socket.holder = "nobody";
  settle(draft, socket);
}

/** The socket listens no more, and is CLOSED. Its queue is not looked at. */
export function stopListening(draft: Draft, id: string): void {
  const socket = socketOf(draft, id);
  socket.queue = [];
  finish(draft, socket);
  disconnect(draft, socket);
}
