/** A port for bind and listen (inet_csk_get_port, net/ipv4/inet_connection_sock.c). */
import { granted, refused, type Answer } from "./answer.ts";
import { addOwner, ensurePlace, remembersPortSharing, updateFastReuse } from "./buckets.ts";
import { conflicts, sharers } from "./conflict.ts";
import type { Draft, DraftSocket } from "./draft.ts";
import type { Socket } from "./state.ts";
import { refusalOf } from "./systems.ts";

const SHARED = { reuseAddress: true, reusePort: true };
const ALONE = { reuseAddress: false, reusePort: false };
const RELAXED = { reuseAddress: true, reusePort: false };

/** The local range of a socket, both ends included (inet_sk_get_local_port_range). */
export function localPortRange({ host }: Pick<Draft, "host">, { localPortRange: own }: Socket): [number, number] {
  const [low, high] = host.portRange;
  const within = (port: number) => low <= port && port <= high;
  return [within(own[0]) ? own[0] : low, within(own[1]) ? own[1] : high];
}

export function isReserved({ host }: Draft, port: number): boolean {
  return host.reservedPorts.some(([low, high]) => low <= port && port <= high);
}

/**
 * The ports that are tried, the wanted one first. The kernel tries them in an order that nobody can foresee; and of an
 * odd number of ports it leaves the first or the last one out, by chance, which is not modelled.
 */
export function* candidates([low, high]: readonly [number, number], wanted: number | undefined): Generator<number> {
  if (wanted !== undefined && wanted >= low && wanted <= high) yield wanted;
  for (let port = low; port <= high; port++) if (port !== wanted) yield port;
}

/** inet_csk_find_open_port */
function findOpenPort(draft: Draft, socket: DraftSocket, wanted: number | undefined): number | undefined {
  const range = localPortRange(draft, socket);
  for (const strictness of draft.host.autobindReuse ? [ALONE, RELAXED] : [ALONE]) {
    for (const port of candidates(range, wanted)) {
      if (isReserved(draft, port)) continue;
      if (conflicts(draft, socket, draft.buckets.get(port), strictness).length === 0) return port;
    }
  }
  return undefined;
}

function take(draft: Draft, socket: DraftSocket, port: number): void {
  const { bucket, place } = ensurePlace(draft, port, socket.address, 0);
  updateFastReuse(bucket, place, socket);
  if (socket.port === 0) addOwner(socket, place, port);
}

/** Gives the socket a port that was asked for, by Linux's rules. */
function takeWanted(draft: Draft, socket: DraftSocket, port: number): Answer {
  const bucket = draft.buckets.get(port);
  const remembers = bucket !== undefined && remembersPortSharing(bucket, socket);
  const blockers = remembers ? [] : conflicts(draft, socket, bucket, SHARED);
  if (blockers.length > 0) return refused("EADDRINUSE", "in use", blockers);
  const others = sharers(draft, socket, bucket);
  take(draft, socket, port);
  const how = remembers ? "remembered port sharing" : "both reuse";
  return granted(others.length === 0 ? "port free" : how, { port, sockets: others });
}

/** The same by another system's documents. What listens has been granted its port by bind. */
function takeElsewhere(draft: Draft, socket: DraftSocket, port: number): Answer {
  if (draft.host.system === "windows" && isReserved(draft, port)) return refused("EACCES", "excluded (Windows)");
  const refusal = socket.port === port ? undefined : refusalOf(draft, socket, draft.buckets.get(port));
  if (refusal) return refused(refusal.code, refusal.rule, refusal.sockets);
  take(draft, socket, port);
  return granted("port free", { port });
}

/** Gives the socket `port`; for 0 one of the local range: `wanted`, if that may be had. */
export function getPort(draft: Draft, socket: DraftSocket, port: number, wanted: number | undefined): Answer {
  if (port !== 0) return (draft.host.system === "linux" ? takeWanted : takeElsewhere)(draft, socket, port);
  const found = findOpenPort(draft, socket, wanted);
  if (found === undefined) return refused("EADDRINUSE", "no port left to bind");
  take(draft, socket, found);
  return granted("port chosen", { port: found });
}
