/**
 * One request to one host: what Linux answers, and what there is afterwards. Facts may be unknown. More of what allows
 * sharing never makes a refusal of a grant, so two runs tell all: one in which every unknown fact is in favour of the
 * request, and one in which all are against it.
 */
import type { Answer, Unknown } from "./answer.ts";
import type { Choice } from "./connect.ts";
import { stepExactly, type Request } from "./requests.ts";
import type { Bucket, Socket, State } from "./state.ts";

const FACTS = ["reuseAddress", "reusePort", "ipv6Only", "uid", "connectBound"] as const;
const isUnclear = (socket: Socket) => FACTS.some((fact) => socket[fact] === undefined);
const isForgotten = ({ fastReuse, fastReusePort }: Pick<Bucket, "fastReuse" | "fastReusePort">) =>
  fastReuse === undefined || fastReusePort === undefined;

function hasUnknown({ sockets, buckets }: State): boolean {
  for (const socket of sockets.values()) if (isUnclear(socket)) return true;
  for (const bucket of buckets.values()) if (isForgotten(bucket) || bucket.places.some(isForgotten)) return true;
  return false;
}

/** No user has it. */
const NOBODY_ELSE = -1;

function suppose(state: State, request: Request, isInFavour: boolean): State {
  const asker = state.sockets.get(request.socket);
  const uid = isInFavour ? (asker?.uid ?? 0) : NOBODY_ELSE;
  const sockets = new Map<string, Socket>();
  for (const [id, socket] of state.sockets) {
    sockets.set(id, {
      ...socket,
      reuseAddress: socket.reuseAddress ?? isInFavour,
      reusePort: socket.reusePort ?? isInFavour,
      ipv6Only: socket.ipv6Only ?? isInFavour,
      connectBound: socket.connectBound ?? isInFavour,
      uid: socket.uid ?? (socket === asker ? 0 : uid),
    });
  }
  // connect takes ports that nobody bound; bind likes those whose bucket remembers that all share.
  const idle = isInFavour && request.name === "connect" ? -1 : 0;
  const remembers = isInFavour && request.name !== "connect" && asker?.reusePort === true;
  const buckets = new Map<number, Bucket>();
  for (const [port, bucket] of state.buckets) {
    const places = bucket.places.map((place) => ({
      ...place,
      fastReuse: place.fastReuse ?? idle,
      fastReusePort: place.fastReusePort ?? idle,
    }));
    const known = {
      ...bucket,
      places,
      fastReuse: bucket.fastReuse ?? idle,
      fastReusePort: bucket.fastReusePort ?? idle,
    };
    const isUnknown = bucket.fastReusePort === undefined;
    const fast = asker && { family: asker.family, address: asker.address, ipv6Only: asker.ipv6Only, uid };
    buckets.set(port, isUnknown && remembers ? { ...known, fastReusePort: 1, fast } : known);
  }
  return { ...state, sockets, buckets };
}

/** Facts that were unknown before are so afterwards, but for those that the request itself settled. */
function forget(before: State, after: State): State {
  const sockets = new Map<string, Socket>();
  for (const [id, socket] of after.sockets) {
    const was = before.sockets.get(id);
    const unknown = was ? FACTS.filter((fact) => was[fact] === undefined) : [];
    sockets.set(id, { ...socket, ...Object.fromEntries(unknown.map((fact) => [fact, undefined])) });
  }
  const buckets = new Map<number, Bucket>();
  const unknown = { fastReuse: undefined, fastReusePort: undefined };
  for (const [port, bucket] of after.buckets) {
    const was = before.buckets.get(port);
    const places = bucket.places.map((place) => {
      const wasPlace = was?.places.find(({ address }) => address === place.address);
      return wasPlace && isForgotten(wasPlace) ? { ...place, ...unknown } : place;
    });
    buckets.set(port, { ...bucket, places, ...(was && isForgotten(was) && unknown) });
  }
  return { ...after, sockets, buckets };
}

/** The unknown facts that the refusal hangs on. */
function unknownsOf(state: State, request: Request, refusal: Answer): Unknown[] {
  const asker = state.sockets.get(request.socket)!;
  const found: Unknown[] = [];
  const of = (id: string, fact: (Unknown & { of: "socket" })["fact"]) => found.push({ of: "socket", id, fact });
  const ports = new Set<number>();
  for (const id of refusal.sockets) {
    const socket = state.sockets.get(id)!;
    ports.add(socket.port);
    if (asker.reuseAddress && socket.reuseAddress === undefined && socket.state !== "LISTEN") of(id, "SO_REUSEADDR");
    if (asker.reusePort && socket.reusePort === undefined) of(id, "SO_REUSEPORT");
    if (asker.reusePort && socket.uid === undefined) of(id, "uid");
    if (socket.ipv6Only === undefined) of(id, "IPV6_V6ONLY");
  }
  for (const port of ports) {
    const bucket = state.buckets.get(port);
    const counts = request.name === "connect" || asker.reusePort === true;
    if (bucket && counts && isForgotten(bucket)) found.push({ of: "bucket", port });
  }
  return found;
}

/**
 * What Linux does with a request. `choice`: what the running kernel chose where it may (a port for 0, a listener among
 * several); what it could not have chosen is not followed. The state stays as it is where the answer is `depends`.
 * Throws `TypeError` for a socket that is not there, and for a name that is taken.
 */
export function step(state: State, request: Request, choice: Choice = {}): { state: State; answer: Answer } {
  if (!hasUnknown(state)) return stepExactly(state, request, choice);
  const worst = stepExactly(suppose(state, request, false), request, choice);
  const best = stepExactly(suppose(state, request, true), request, choice);
  if (worst.answer.outcome === "refused" && best.answer.outcome !== "refused") {
    const unknown = unknownsOf(state, request, worst.answer);
    return { state, answer: { ...worst.answer, outcome: "depends", unknown } };
  }
  return { state: forget(state, worst.state), answer: worst.answer };
}

export type { Request } from "./requests.ts";
