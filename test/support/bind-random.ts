/** Random requests of binding that bring sockets together: few ports, few addresses, flags that most or none have set. */
import { localPortRange } from "../../src/bind/get-port.ts";
import type { Request } from "../../src/bind/requests.ts";
import type { Socket, State } from "../../src/bind/state.ts";

export type Random = () => number;

export function pick<T>(random: Random, all: readonly T[]): T {
  return all[Math.floor(random() * all.length)]!;
}

const ADDRESSES = {
  IPv4: ["127.0.0.1", "127.0.0.1", "127.0.0.2", "0.0.0.0", "0.0.0.0"],
  IPv6: ["::1", "::", "::", "::ffff:127.0.0.1", "::ffff:127.0.0.2", "::ffff:0.0.0.0"],
};
const DESTINATIONS = {
  IPv4: ["127.0.0.1", "127.0.0.1", "127.0.0.2", "0.0.0.0"],
  IPv6: ["::1", "::ffff:127.0.0.1", "::ffff:127.0.0.2", "::"],
};

/** No host here has these, nor a way to them. */
const STRANGE = { IPv4: ["192.0.2.1"], IPv6: ["2001:db8::1", "::ffff:192.0.2.1", "ff02::1"] };
const ODDS = 0.02;
const NO_DEVICE = 99;

/** What one scenario is made of. */
export interface Theme {
  ports: readonly number[];
  uids: readonly number[];
  /** Devices by number, 0 for none. */
  devices: readonly number[];
  ipv6: number;
  reuseAddress: number;
  reusePort: number;
  /** How often options are set when a socket is old already. */
  later: number;
}

const SHARES = [0, 0.5, 0.9];

export function randomTheme(random: Random, base: number, users: readonly number[], devices: number): Theme {
  const count = pick(random, [1, 2, 3, 5]);
  return {
    ports: Array.from({ length: count }, (_, i) => base + i),
    uids: random() < 0.5 ? users : [users[0]!],
    devices: random() < 0.7 ? [0] : Array.from({ length: devices + 1 }, (_, i) => i),
    ipv6: pick(random, [0, 0.3, 0.5, 1]),
    reuseAddress: pick(random, SHARES),
    reusePort: pick(random, SHARES),
    later: pick(random, [0.02, 0.1, 0.2]),
  };
}

function setOption(random: Random, theme: Theme, socket: string): Request {
  const set = (option: (Request & { name: "setsockopt" })["option"], value: number): Request => ({
    name: "setsockopt",
    socket,
    option,
    value,
  });
  const flag = (share: number) => Number(random() < share);
  const dice = random();
  if (dice < 0.3) return set("SO_REUSEADDR", flag(0.5));
  if (dice < 0.6) return set("SO_REUSEPORT", flag(0.5));
  if (dice < 0.7) return set("IPV6_V6ONLY", flag(0.7));
  if (dice < 0.78) return set("IP_BIND_ADDRESS_NO_PORT", flag(0.7));
  if (dice < 0.84) return set("SO_LINGER", flag(0.3) - 1);
  if (dice < 0.94) return set("SO_BINDTOIFINDEX", random() < ODDS ? NO_DEVICE : pick(random, theme.devices));
  const end = () => (random() < 0.2 ? 0 : pick(random, theme.ports));
  return set("IP_LOCAL_PORT_RANGE", end() + end() * 65_536);
}

/** A new socket, with the options that the theme gives it. */
function makeSocket(random: Random, theme: Theme, socket: string): Request[] {
  const family = random() < theme.ipv6 ? "IPv6" : "IPv4";
  const made: Request[] = [{ name: "socket", socket, family, uid: pick(random, theme.uids) }];
  const set = (option: "SO_REUSEADDR" | "SO_REUSEPORT" | "IPV6_V6ONLY" | "IP_BIND_ADDRESS_NO_PORT", value = 1) =>
    made.push({ name: "setsockopt", socket, option, value });
  if (random() < theme.reuseAddress) set("SO_REUSEADDR");
  if (random() < theme.reusePort) set("SO_REUSEPORT");
  if (family === "IPv6" && random() < 0.15) set("IPV6_V6ONLY");
  if (random() < 0.05) set("IP_BIND_ADDRESS_NO_PORT");
  const device = pick(random, theme.devices);
  if (device !== 0) made.push({ name: "setsockopt", socket, option: "SO_BINDTOIFINDEX", value: device });
  return made;
}

/** One of those that the call is meant for; now and then any. */
function target(random: Random, held: readonly Socket[], isMeant: (socket: Socket) => boolean): Socket {
  const meant = held.filter(isMeant);
  return pick(random, meant.length > 0 && random() < 0.9 ? meant : held);
}

const isFresh = ({ state, port, wasConnected }: Socket) => state === "CLOSED" && port === 0 && !wasConnected;
const mayListen = ({ state, port, wasConnected }: Socket) => state === "CLOSED" && port !== 0 && !wasConnected;
const isConnected = ({ peer }: Socket) => peer !== undefined;

function connectRequest(random: Random, theme: Theme, state: State, held: readonly Socket[]): Request {
  const { id, family } = target(random, held, (socket) => isFresh(socket) || (mayListen(socket) && random() < 0.6));
  const listeners = [...state.sockets.values()].filter((socket) => socket.state === "LISTEN");
  const port = listeners.length > 0 && random() < 0.9 ? pick(random, listeners).port : pick(random, theme.ports);
  const places = random() < ODDS ? STRANGE : DESTINATIONS;
  return { name: "connect", socket: id, address: pick(random, places[family]), port };
}

/**
 * Requests to make next, in `state`. Most make sense, some do not; `next` is a number for new names.
 */
export function randomRequests(random: Random, theme: Theme, state: State, next: number): Request[] {
  const held = [...state.sockets.values()].filter(({ holder }) => holder === "process");
  const dice = random();
  if (held.length < 2 || (held.length < 9 && dice < 0.22)) return makeSocket(random, theme, `s${next}`);
  if (dice < 0.22 + theme.later) return [setOption(random, theme, pick(random, held).id)];
  if (dice < 0.55) {
    const { id, family } = target(random, held, isFresh);
    const own = random() < 0.98 ? family : pick(random, ["IPv4", "IPv6"] as const);
    const port = random() < 0.15 ? 0 : pick(random, theme.ports);
    const places = random() < ODDS ? STRANGE : ADDRESSES;
    return [{ name: "bind", socket: id, address: pick(random, places[own]), port }];
  }
  if (dice < 0.66) return [{ name: "listen", socket: target(random, held, mayListen).id, backlog: 64 }];
  if (dice < 0.79) return [connectRequest(random, theme, state, held)];
  if (dice < 0.86) {
    const { id } = target(random, held, ({ queue }) => queue.length > 0);
    return [{ name: "accept", socket: id, as: `s${next}`, uid: pick(random, theme.uids) }];
  }
  if (dice < 0.9) {
    const how = pick(random, ["read", "write", "both"] as const);
    return [{ name: "shutdown", socket: target(random, held, isConnected).id, how }];
  }
  return [{ name: "close", socket: random() < 0.6 ? target(random, held, isConnected).id : pick(random, held).id }];
}

/** True where the kernel leaves a port out by chance: see `candidates` of get-port.ts. */
export function choosesFromOdd(state: State, request: Request): boolean {
  const socket = state.sockets.get(request.socket);
  if (
    !socket ||
    !((request.name === "bind" && request.port === 0) || (request.name === "listen" && socket.port === 0))
  ) {
    return false;
  }
  const [low, high] = localPortRange(state, socket);
  return high > low && (high - low) % 2 === 0;
}
