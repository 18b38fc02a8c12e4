/** A state in the making: what a step changes before it hands the new state out. */
import type { Bucket, Host, Place, Socket, State } from "./state.ts";

export interface DraftPlace extends Place {
  owners: string[];
}
export interface DraftBucket extends Bucket {
  places: DraftPlace[];
}
export interface DraftSocket extends Socket {
  queue: string[];
}

export interface Draft {
  host: Host;
  sockets: Map<string, DraftSocket>;
  buckets: Map<number, DraftBucket>;
  made: number;
}

export function draftOf(state: State): Draft {
  const sockets = new Map<string, DraftSocket>();
  for (const [id, socket] of state.sockets) sockets.set(id, { ...socket, queue: [...socket.queue] });
  const buckets = new Map<number, DraftBucket>();
  for (const [port, bucket] of state.buckets) {
    const places = bucket.places.map((place) => ({ ...place, owners: [...place.owners] }));
    buckets.set(port, { ...bucket, places });
  }
  return { host: state.host, sockets, buckets, made: state.made };
}

/** The socket of this id, which is there: an owner, a member of a queue. */
export function socketOf(draft: Draft, id: string): DraftSocket {
  const socket = draft.sockets.get(id);
  if (!socket) throw new TypeError(`there is no socket ${id}`);
  return socket;
}
