/** The bind buckets as sockets come and go (net/ipv4/inet_hashtables.c, net/ipv4/inet_connection_sock.c). */
import { asIpv6, overlaps, wildcardOf } from "./address.ts";
import { socketOf, type Draft, type DraftBucket, type DraftPlace, type DraftSocket } from "./draft.ts";
import type { FastReuse, FastReusePort } from "./state.ts";

/** The socket's place in the bucket, if there is one (inet_bind2_bucket_find). */
export function placeOf(bucket: DraftBucket | undefined, address: string): DraftPlace | undefined {
  const key = asIpv6(address);
  return bucket?.places.find((place) => place.address === key);
}

function makePlace(bucket: DraftBucket, address: string, fast: 0 | -1 | undefined): DraftPlace {
  const place = { address: asIpv6(address), fastReuse: fast, fastReusePort: fast, owners: [] };
  bucket.places.unshift(place);
  return place;
}

/** The bucket of this port, made where there is none, with a place for the address; both as they begin with `fast`. */
export function ensurePlace(
  draft: Draft,
  port: number,
  address: string,
  fast: 0 | -1,
): { bucket: DraftBucket; place: DraftPlace } {
  let bucket = draft.buckets.get(port);
  if (!bucket) {
    bucket = { port, fastReuse: fast, fastReusePort: fast, fast: undefined, places: [] };
    draft.buckets.set(port, bucket);
  }
  return { bucket, place: placeOf(bucket, address) ?? makePlace(bucket, address, fast) };
}

/** True if the bucket knows that every one of its sockets with SO_REUSEPORT would let this one in (sk_reuseport_match). */
export function remembersPortSharing(bucket: DraftBucket, socket: DraftSocket): boolean {
  const { fast, fastReusePort } = bucket;
  if (fastReusePort === undefined || fastReusePort <= 0 || !socket.reusePort || !fast) return false;
  if (fast.uid !== socket.uid) return false;
  return overlaps(fast, socket, true, false);
}

function rememberPortSharing(bucket: DraftBucket, socket: DraftSocket): void {
  const { family, address, ipv6Only, uid } = socket;
  bucket.fastReusePort = 1;
  bucket.fast = { family, address, ipv6Only, uid };
}

/**
 * What a bucket learns from a socket that has just been granted its port (inet_csk_update_fastreuse). The kernel means
 * to treat a bucket's first socket otherwise, but has made a place for it by then and finds the bucket not empty: so
 * `fastReuse` is never raised to 1, and port sharing is always remembered with an address.
 */
export function updateFastReuse(bucket: DraftBucket, place: DraftPlace, socket: DraftSocket): void {
  if (!socket.reuseAddress || socket.state === "LISTEN") bucket.fastReuse = 0;
  if (!socket.reusePort) bucket.fastReusePort = 0;
  else if (!remembersPortSharing(bucket, socket)) rememberPortSharing(bucket, socket);
  place.fastReuse = bucket.fastReuse;
  place.fastReusePort = bucket.fastReusePort;
}

export function addOwner(socket: DraftSocket, place: DraftPlace, port: number): void {
  socket.port = port;
  place.owners.unshift(socket.id);
}

function isIdle(flags: { fastReuse: FastReuse | undefined; fastReusePort: FastReusePort | undefined }): boolean {
  return flags.fastReuse === -1 && flags.fastReusePort === -1;
}

/** inet_bind2_bucket_destroy: an empty place goes; one where only connect bound is open to connect again. */
function settlePlace(draft: Draft, bucket: DraftBucket, place: DraftPlace): void {
  if (place.owners.length === 0) {
    bucket.places.splice(bucket.places.indexOf(place), 1);
  } else if (place.owners.every((id) => socketOf(draft, id).connectBound)) {
    place.fastReuse = -1;
    place.fastReusePort = -1;
  }
}

/** inet_bind_bucket_destroy */
function settleBucket(draft: Draft, bucket: DraftBucket): void {
  if (bucket.places.length === 0) {
    draft.buckets.delete(bucket.port);
  } else if (bucket.places.every(isIdle)) {
    bucket.fastReuse = -1;
    bucket.fastReusePort = -1;
  }
}

function leavePlace(draft: Draft, socket: DraftSocket): DraftBucket {
  const bucket = draft.buckets.get(socket.port)!;
  const place = placeOf(bucket, socket.address)!;
  place.owners.splice(place.owners.indexOf(socket.id), 1);
  settlePlace(draft, bucket, place);
  return bucket;
}

/** The socket gives its port back (__inet_put_port). Nothing happens where it has none. */
export function putPort(draft: Draft, socket: DraftSocket): void {
  if (socket.port === 0) return;
  settleBucket(draft, leavePlace(draft, socket));
  socket.port = 0;
  socket.connectBound = false;
}

/** The socket's address changes; if it has a port, so does its place (__inet_bhash2_update_saddr). */
export function moveAddress(draft: Draft, socket: DraftSocket, address: string): void {
  if (socket.port === 0) {
    socket.address = address;
    return;
  }
  const bucket = leavePlace(draft, socket);
  socket.address = address;
  const place = placeOf(bucket, address) ?? makePlace(bucket, address, socket.connectBound ? -1 : 0);
  place.owners.unshift(socket.id);
}

/** Back to the wildcard, unless bind gave the address (inet_bhash2_reset_saddr). */
export function resetAddress(draft: Draft, socket: DraftSocket): void {
  if (!socket.lockedAddress) moveAddress(draft, socket, wildcardOf(socket.family));
}

/** A TIME-WAIT takes its place beside the socket that it was (inet_twsk_hashdance). */
export function shareWith(draft: Draft, socket: DraftSocket, timeWait: DraftSocket): void {
  placeOf(draft.buckets.get(socket.port), socket.address)!.owners.unshift(timeWait.id);
}

/** A connection takes its place beside its listener (__inet_inherit_port). */
export function inheritPort(draft: Draft, listener: DraftSocket, child: DraftSocket): void {
  const bucket = draft.buckets.get(listener.port)!;
  const place = placeOf(bucket, child.address) ?? makePlace(bucket, child.address, 0);
  place.owners.unshift(child.id);
}

/** Runs what leaving does to the others, for a socket that stays as something else. */
export function settle(draft: Draft, socket: DraftSocket): void {
  const bucket = draft.buckets.get(socket.port)!;
  settlePlace(draft, bucket, placeOf(bucket, socket.address)!);
  settleBucket(draft, bucket);
}
