/** Which sockets stand in the way of a port (net/ipv4/inet_connection_sock.c). */
import { asIpv4, isMapped, overlaps } from "./address.ts";
import { placeOf } from "./buckets.ts";
import { socketOf, type Draft, type DraftBucket, type DraftPlace, type DraftSocket } from "./draft.ts";
import { isMini } from "./state.ts";

/** How strict a look is: with a port that was asked for flags may let sockets share it, with port 0 they may not. */
export interface Strictness {
  /** SO_REUSEADDR on both sides counts (`relax`). */
  reuseAddress: boolean;
  /** SO_REUSEPORT on both sides counts (`reuseport_ok`). */
  reusePort: boolean;
}

/** inet_bind_conflict; addresses are not looked at. */
function excludes(socket: DraftSocket, other: DraftSocket, strictness: Strictness): boolean {
  if (other.id === socket.id) return false;
  if (socket.device !== "" && other.device !== "" && socket.device !== other.device) return false;
  const sharePort =
    socket.reusePort === true && other.reusePort === true && (isMini(other) || socket.uid === other.uid);
  if (socket.reuseAddress && other.reuseAddress && other.state !== "LISTEN") {
    return !strictness.reuseAddress || (!strictness.reusePort && sharePort);
  }
  return !strictness.reusePort || !sharePort;
}

/** True for a socket at one address: only its own place and the wildcards' are searched (inet_use_hash2_on_bind). */
function isSpecific({ family, address }: DraftSocket): boolean {
  if (family === "IPv6" && !isMapped(address)) return address !== "::";
  return asIpv4(address) !== "0.0.0.0";
}

/** inet_bind2_bucket_match_addr_any */
function isWildcardFor(place: DraftPlace, { family, address }: DraftSocket): boolean {
  if (place.address === "::") return true;
  return place.address === "::ffff:0.0.0.0" && (family === "IPv4" || isMapped(address));
}

/** __inet_bhash2_conflict */
function excludesInPlace(socket: DraftSocket, other: DraftSocket, strictness: Strictness): boolean {
  if (other.ipv6Only && (socket.family === "IPv4" || isMapped(socket.address))) return false;
  return excludes(socket, other, strictness);
}

/** The sockets of this bucket that keep `socket` from it. */
export function conflicts(
  draft: Draft,
  socket: DraftSocket,
  bucket: DraftBucket | undefined,
  strictness: Strictness,
): string[] {
  if (!bucket) return [];
  const specific = isSpecific(socket);
  const own = placeOf(bucket, socket.address);
  const found: string[] = [];
  for (const place of bucket.places) {
    if (specific && place !== own && !isWildcardFor(place, socket)) continue;
    for (const id of place.owners) {
      const other = socketOf(draft, id);
      const stands = specific
        ? excludesInPlace(socket, other, strictness)
        : excludes(socket, other, strictness) && overlaps(socket, other);
      if (stands) found.push(id);
    }
  }
  return found;
}

/** The sockets that share the port with `socket` because flags let them. */
export function sharers(draft: Draft, socket: DraftSocket, bucket: DraftBucket | undefined): string[] {
  return conflicts(draft, socket, bucket, { reuseAddress: false, reusePort: false });
}
