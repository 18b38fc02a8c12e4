/** Random scenarios of binding, run on the rules and on the kernel side by side. */
import { emptyState, type Host, type State } from "../../src/bind/state.ts";
import { devicesOf, step, type Request } from "../../src/bind/step.ts";
import { localPortRange } from "../../src/bind/get-port.ts";
import { listenersFor } from "../../src/bind/connect.ts";
import { canonical } from "../../src/bind/address.ts";
import type { Answer } from "../../src/bind/answer.ts";
import { BindRun } from "../../src/world/kernel/bind-run.ts";

export type Random = () => number;

const IPV4 = ["127.0.0.1", "127.0.0.2", "0.0.0.0"];
const IPV6 = ["::1", "::", "::ffff:127.0.0.1", "::ffff:127.0.0.2", "::ffff:0.0.0.0"];
const DESTINATIONS_IPV4 = ["127.0.0.1", "127.0.0.2", "0.0.0.0"];
const DESTINATIONS_IPV6 = ["::1", "::ffff:127.0.0.1", "::ffff:127.0.0.2", "::"];

/** What scenarios are made of. Ports are counted from 0, `base` is added when they run. */
export interface Field {
  ports: number;
  uids: readonly number[];
  /** How many devices there are; 0 is none. */
  devices: number;
  /** The local port range, from 0. */
  range: readonly [number, number];
}

function pick<T>(random: Random, all: readonly T[]): T {
  return all[Math.floor(random() * all.length)]!;
}

const OPTIONS = [
  "SO_REUSEADDR",
  "SO_REUSEADDR",
  "SO_REUSEADDR",
  "SO_REUSEPORT",
  "SO_REUSEPORT",
  "IPV6_V6ONLY",
  "IP_BIND_ADDRESS_NO_PORT",
  "IP_LOCAL_PORT_RANGE",
  "SO_LINGER",
  "SO_BINDTOIFINDEX",
] as const;

function randomOption(random: Random, field: Field, socket: string, base: number): Request {
  const option = pick(random, OPTIONS);
  const value = random() < 0.7 ? 1 : 0;
  const set = (value: number): Request => ({ name: "setsockopt", socket, option, value });
  if (option === "SO_BINDTOIFINDEX") return set(random() < 0.4 ? 0 : Math.floor(random() * (field.devices + 1)));
  if (option === "SO_LINGER") return set(value - 1);
  if (option !== "IP_LOCAL_PORT_RANGE") return set(value);
  const port = () => (random() < 0.2 ? 0 : base + Math.floor(random() * field.ports));
  return set(port() + port() * 65_536);
}

/** A request that makes sense, or nearly so, in `state`; sockets are named in the order in which they are made. */
export function randomRequest(random: Random, field: Field, state: State, base: number, next: number): Request {
  const held = [...state.sockets.values()].filter(({ holder }) => holder === "process");
  const dice = random();
  if (held.length === 0 || (held.length < 9 && dice < 0.2)) {
    return {
      name: "socket",
      socket: `s${next}`,
      family: random() < 0.55 ? "IPv4" : "IPv6",
      uid: pick(random, field.uids),
    };
  }
  const target = pick(random, held);
  const { id: socket } = target;
  const port = () => base + Math.floor(random() * field.ports);
  const own = random() < 0.97 ? target.family : random() < 0.5 ? "IPv4" : "IPv6";
  if (dice < 0.38) return randomOption(random, field, socket, base);
  if (dice < 0.6) {
    return {
      name: "bind",
      socket,
      address: pick(random, own === "IPv4" ? IPV4 : IPV6),
      port: random() < 0.2 ? 0 : port(),
    };
  }
  if (dice < 0.72) return { name: "listen", socket, backlog: 64 };
  if (dice < 0.84) {
    const listeners = [...state.sockets.values()].filter(({ state }) => state === "LISTEN");
    const to = random() < 0.85 && listeners.length > 0 ? pick(random, listeners).port : port();
    return {
      name: "connect",
      socket,
      address: pick(random, own === "IPv4" ? DESTINATIONS_IPV4 : DESTINATIONS_IPV6),
      port: to,
    };
  }
  if (dice < 0.89) {
    const queued = held.find(({ queue }) => queue.length > 0);
    return {
      name: "accept",
      socket: random() < 0.9 && queued ? queued.id : socket,
      as: `s${next}`,
      uid: pick(random, field.uids),
    };
  }
  if (dice < 0.93) return { name: "shutdown", socket, how: pick(random, ["read", "write", "both"]) };
  return { name: "close", socket };
}

/** What the two said of a request where they did not agree. */
export interface Disagreement {
  request: Request;
  predicted: Answer;
  happened: string;
}

export interface Course {
  requests: Request[];
  happenings: string[];
  steps: number;
  disagreement?: Disagreement;
}

function listenersOf(state: State, request: Request): string[] {
  if (request.name !== "connect") return [];
  const { port } = request;
  void canonical;
  return [...state.sockets.values()].filter((s) => s.state === "LISTEN" && s.port === port).map(({ id }) => id);
}

/** Steps that end in the air: who wins is a matter of time. */
function isUnsettled(state: State, request: Request): boolean {
  if (request.name === "connect") {
    if ((state.sockets.get(request.socket)?.device ?? "") !== "") return true;
    const socket = state.sockets.get(request.socket)!;
    if (socket.shutWrite && socket.port === 0) return true;
    return step(state, request).answer.outcome === "waits";
  }
  const socket = "socket" in request ? state.sockets.get(request.socket) : undefined;
  if (socket && ((request.name === "bind" && request.port === 0) || (request.name === "listen" && socket.port === 0))) {
    const [low, high] = localPortRange(state, socket);
    return high > low && (high - low) % 2 === 0;
  }
  return false;
}

const SETTLED: readonly string[] = ["accept", "connect"];

/** Runs requests on both, as `next` gives them, until it gives none or they do not agree. */
export function runBoth(
  host: Partial<Host>,
  next: (state: State, number: number) => Request | undefined,
  inHost?: <T>(make: () => T) => T,
): Course {
  let state = emptyState(host);
  const kernel = new BindRun(devicesOf(state), inHost);
  const requests: Request[] = [];
  const happenings: string[] = [];
  try {
    for (let request; (request = next(state, requests.length));) {
      if (request.name !== "socket" && state.sockets.get(request.socket)?.holder !== "process") continue;
      if (isUnsettled(state, request)) continue;
      requests.push(request);
      const foreseen = SETTLED.includes(request.name) && step(state, request).answer.outcome === "waits";
      const { result, choice } = kernel.run(request, listenersOf(state, request), foreseen);
      const after = step(state, request, choice);
      const { answer } = after;
      const happened =
        result === "waits" ? "waits" : result.ok ? `granted${choice.port ? ` ${choice.port}` : ""}` : result.code;
      if (answer.outcome === "waits" && request.name === "connect" && state.sockets.get(request.socket)!.port === 0) {
        break; // the port that was chosen leads into the air
      }
      happenings.push(happened + (choice.listener ? ` at ${choice.listener}` : ""));
      const predicted =
        answer.outcome === "refused"
          ? answer.code
          : answer.outcome === "granted" && choice.port
            ? `granted ${after.state.sockets.get(request.socket)!.port}`
            : answer.outcome;
      const isSame = predicted === happened && (!choice.listener || choice.listener === answer.listener);
      if (!isSame) {
        const disagreement = {
          request,
          predicted: answer,
          happened: happened + (choice.listener ? ` at ${choice.listener}` : ""),
        };
        return { requests, happenings, steps: requests.length, disagreement };
      }
      if (result === "waits" && request.name === "connect") break;
      state = after.state;
    }
    return { requests, happenings, steps: requests.length };
  } finally {
    kernel.close();
  }
}

export { listenersFor };
