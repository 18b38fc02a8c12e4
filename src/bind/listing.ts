/** The state of a host as far as a listing of its sockets tells it. */
import type { Endpoint, Family } from "../call/call.ts";
import type { TcpState } from "../codec/state.ts";
import { asIpv6, canonical, isMapped } from "./address.ts";
import { draftOf } from "./draft.ts";
import { emptyState, newSocket, type Fact, type Host, type Place, type Socket, type State } from "./state.ts";

/** A socket as sock_diag lists it; what it does not list may be known by other means. */
export interface ListedSocket {
  id: string;
  family: Family;
  state: TcpState;
  local: Endpoint;
  /** Of connected sockets. */
  peer?: Endpoint;
  /** "" without. */
  device: string;
  /** A process has it, or a listener's queue. */
  hasOwner: boolean;
  uid?: Fact<number>;
  ipv6Only?: Fact<boolean>;
  reuseAddress?: Fact<boolean>;
  reusePort?: Fact<boolean>;
}

function addressOf(listed: ListedSocket): string {
  const address = canonical(listed.local.address);
  if (address === undefined) throw new TypeError(`'${listed.local.address}' is not an IP address`);
  return listed.family === "IPv6" ? asIpv6(address) : address;
}

/** Whether an IPv6 socket takes IPv6 only is listed of listeners and bound sockets; mapped addresses tell it too. */
function ipv6OnlyOf({ family, ipv6Only }: ListedSocket, address: string): Fact<boolean> {
  if (family === "IPv4" || isMapped(address)) return false;
  return ipv6Only;
}

function socketOf(host: Host, listed: ListedSocket): Socket {
  const { id, family, state, local, peer, device, hasOwner, uid, reuseAddress, reusePort } = listed;
  const address = addressOf(listed);
  const isConnected = state !== "LISTEN" && state !== "BOUND" && state !== "CLOSED";
  return {
    ...newSocket(host, id, family),
    uid,
    // Bound, and neither listening nor connected, is not a state of TCP: sock_diag's BOUND is CLOSED.
    state: state === "BOUND" ? "CLOSED" : state,
    holder: hasOwner ? "process" : "nobody",
    address,
    port: local.port,
    ...(peer && isConnected && { peer: { address: canonical(peer.address) ?? peer.address, port: peer.port } }),
    reuseAddress,
    reusePort,
    ipv6Only: ipv6OnlyOf(listed, address),
    device,
    // Who listens or is bound without a connection has not got its port from connect.
    connectBound: isConnected ? undefined : false,
    wasConnected: isConnected,
  };
}

/**
 * The state that a listing shows. What the kernel remembers of earlier binds is in no listing: the buckets' flags are
 * unknown. Connections that are not complete (SYN-RECEIVED) hold no port and are left out.
 */
export function stateOf(rows: Iterable<ListedSocket>, host: Partial<Host> = {}): State {
  const state = draftOf(emptyState(host));
  for (const listed of rows) {
    if (listed.state === "SYN-RECEIVED" || listed.local.port === 0) continue;
    const socket = socketOf(state.host, listed);
    state.sockets.set(socket.id, { ...socket, queue: [] });
    const unknown = { fastReuse: undefined, fastReusePort: undefined };
    const bucket = state.buckets.get(socket.port) ?? { port: socket.port, ...unknown, fast: undefined, places: [] };
    state.buckets.set(socket.port, bucket);
    const address = asIpv6(socket.address);
    const place: Place & { owners: string[] } = bucket.places.find((one) => one.address === address) ?? {
      address,
      ...unknown,
      owners: [],
    };
    if (place.owners.length === 0) bucket.places.push(place);
    place.owners.push(socket.id);
  }
  return state;
}
