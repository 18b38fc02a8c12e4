/** Random scenarios of binding, made on the running kernel and answered by the rules, step by step. */
import { listenersAt, type Choice } from "../../src/bind/connect.ts";
import { localPortRange } from "../../src/bind/get-port.ts";
import { devicesOf, type Request } from "../../src/bind/requests.ts";
import { emptyState, PLAIN_HOST, type Host, type Socket, type State } from "../../src/bind/state.ts";
import { step } from "../../src/bind/step.ts";
import { applyHost, runBeside, type Beside } from "../../src/world/kernel/bind-host.ts";
import { BindRun } from "../../src/world/kernel/bind-run.ts";
import { enterNewNetworkNamespace } from "../../src/linux/namespace.ts";
import { writeParameter } from "../../src/linux/network-namespace.ts";
import { generator } from "./random.ts";

type Random = () => number;

const IPV4 = ["127.0.0.1", "127.0.0.2", "0.0.0.0"];
const IPV6 = ["::1", "::", "::ffff:127.0.0.1", "::ffff:127.0.0.2", "::ffff:0.0.0.0"];
const DESTINATIONS_IPV4 = ["127.0.0.1", "127.0.0.2", "0.0.0.0"];
const DESTINATIONS_IPV6 = ["::1", "::ffff:127.0.0.1", "::ffff:127.0.0.2", "::"];

/** Few ports, so that sockets meet: those above `base`. */
export const PORTS = 6;

/** What scenarios are made of. */
export interface Field {
  /** The lowest port. */
  base: number;
  uids: readonly number[];
  /** How many devices there are. */
  devices: number;
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

function randomOption(random: Random, field: Field, socket: string): Request {
  const option = pick(random, OPTIONS);
  const value = random() < 0.7 ? 1 : 0;
  const set = (value: number): Request => ({ name: "setsockopt", socket, option, value });
  if (option === "SO_BINDTOIFINDEX") return set(random() < 0.4 ? 0 : Math.floor(random() * (field.devices + 1)));
  if (option === "SO_LINGER") return set(value - 1);
  if (option !== "IP_LOCAL_PORT_RANGE") return set(value);
  const port = () => (random() < 0.2 ? 0 : field.base + Math.floor(random() * PORTS));
  return set(port() + port() * 65_536);
}

/** A request that makes sense, or nearly so, in `state`; sockets are named in the order in which they are made. */
export function randomRequest(random: Random, field: Field, state: State, next: number): Request {
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
  const port = () => field.base + Math.floor(random() * PORTS);
  const own = random() < 0.97 ? target.family : random() < 0.5 ? "IPv4" : "IPv6";
  if (dice < 0.38) return randomOption(random, field, socket);
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

/**
 * True for a FIN that goes to a connection which nobody has accepted: it is acknowledged 40 ms later, and until then the
 * sender's user counts as it does not in FIN-WAIT-2.
 */
function isAcknowledgedLate({ sockets }: State, { state, peer }: Socket): boolean {
  const all = [...sockets.values()];
  if (state !== "ESTABLISHED" || new Set(all.map(({ uid }) => uid)).size === 1) return false;
  return all.some((other) => other.holder === "queue" && other.port === peer!.port);
}

/**
 * True for what ends in the air, where time decides who wins: connections that nobody answers at once, sockets that speak
 * over one device what others hear on all; and where the kernel leaves a port out by chance (see `candidates`).
 */
function isUnsettled(state: State, request: Request): boolean {
  const socket = state.sockets.get(request.socket);
  if (request.name === "connect") {
    if (socket!.device !== "" || (socket!.shutWrite && socket!.port === 0)) return true;
    // What such a listener accepts over IPv6 answers over IPv4: the other end hears nothing more of it.
    if (listenersAt(state, request.port).some(({ speaksIpv4 }) => speaksIpv4)) return true;
    return step(state, request).answer.outcome === "waits";
  }
  if (request.name === "close" || request.name === "shutdown") return isAcknowledgedLate(state, socket!);
  const choosesPort = (request.name === "bind" && request.port === 0) || (request.name === "listen" && !socket!.port);
  if (!choosesPort) return false;
  const [low, high] = localPortRange(state, socket!);
  return high > low && (high - low) % 2 === 0;
}

export interface Course {
  /** What was made, and what the kernel chose. */
  steps: { request: Request; choice: Choice }[];
  /** The last step, where the rules said something else than the kernel. */
  disagreement?: Beside;
}

/** Runs requests on both, as `next` gives them, until it gives none or the two do not agree. */
function runCourse(host: Host, next: (state: State) => Request | undefined): Course {
  let state = emptyState(host);
  const kernel = new BindRun(devicesOf(state));
  const steps: Course["steps"] = [];
  try {
    for (let request; (request = next(state));) {
      const isMade = request.name === "socket" || state.sockets.get(request.socket)?.holder === "process";
      if (!isMade || isUnsettled(state, request)) continue;
      const beside = runBeside(state, kernel, request);
      steps.push({ request, choice: beside.ran.choice });
      // A port that connect chose may lead into the air, which could not be foreseen.
      if (request.name === "connect" && beside.predicted.outcome === "waits") break;
      if (!beside.agrees) return { steps, disagreement: beside };
      state = beside.state;
    }
    return { steps };
  } finally {
    kernel.close();
  }
}

const LONGEST = 40;
/** Of a scenario's requests some are not made: their socket is gone, or they end in the air. */
const ATTEMPTS = 100;

const FIRST_PORT = 2000;
/** TIME-WAIT outlives its scenario: the next one has ports of its own, until these are used up. */
const SCENARIOS_PER_NAMESPACE = 6000;

/** A new network namespace for the calling thread, with room for all the TIME-WAIT that scenarios leave. */
function enterField(): void {
  if (!enterNewNetworkNamespace()) throw new Error("the kernel grants no network namespace");
  writeParameter("net.ipv4.tcp_max_tw_buckets", 1_000_000);
}

/** Local port ranges of one port, or of an even number. */
const RANGE_LENGTHS = [1, 2, 4, 4, 6];

function hostFor(random: Random, base: number): Host {
  const low = base + 2;
  const high = low + pick(random, RANGE_LENGTHS) - 1;
  return { ...PLAIN_HOST, portRange: [low, high], timestamps: random() < 0.5 };
}

function randomCourse(seed: number, base: number, uids: readonly number[]): { host: Host; course: Course } {
  const random = generator(seed);
  const field = { base, uids, devices: 1 };
  const host = hostFor(random, base);
  applyHost(host);
  let made = 0;
  let attempts = 0;
  const course = runCourse(host, (state) => {
    if (made >= LONGEST || attempts++ >= ATTEMPTS) return undefined;
    return randomRequest(random, field, state, ++made);
  });
  return { host, course };
}

/** Leaves out steps for as long as the two still do not agree. Each try has a namespace of its own. */
function shrink(host: Host, course: Course): Course {
  for (let i = course.steps.length - 2; i >= 0; i--) {
    const fewer = course.steps.filter((_, at) => at !== i).map(({ request }) => request);
    enterField();
    applyHost(host);
    const tried = runCourse(host, () => fewer.shift());
    if (tried.disagreement) return shrink(host, tried);
  }
  return course;
}

/** A disagreement at its smallest, as people read it, with the line that replays it. */
function describe(seed: number, host: Host, { steps, disagreement }: Course): string {
  const { predicted, ran } = disagreement!;
  const scenario = {
    schema: 1,
    host: { portRange: host.portRange, timestamps: host.timestamps },
    steps: steps.map(({ request }) => toStep(request)),
  };
  return [
    `seed ${seed}: the rules and the kernel do not agree on the last of`,
    ...steps.map(({ request, choice }) => `  ${JSON.stringify(request)} ${JSON.stringify(choice)}`),
    `rules:  ${JSON.stringify(predicted)}`,
    `kernel: ${JSON.stringify(ran)}`,
    `replay: echo '${JSON.stringify(scenario)}' | lastack predict - --on kernel`,
  ].join("\n");
}

/** A request as a step of a scenario (docs/predict.md). */
function toStep(request: Request): unknown {
  const { name: call, ...rest } = request;
  if (rest === undefined || request.name !== "setsockopt") return { call, ...rest };
  const { socket, option, value } = request;
  if (option === "IP_LOCAL_PORT_RANGE") return { call, socket, options: { [option]: [value & 0xffff, value >>> 16] } };
  if (option !== "SO_BINDTOIFINDEX") return { call, socket, options: { [option]: value } };
  return { call, socket, options: { SO_BINDTODEVICE: ["", "lo"][value] ?? "none" } };
}

export interface Comparison {
  steps: number;
  scenarios: number;
  /** At its smallest. */
  disagreement?: string;
}

/**
 * Makes random scenarios until there have been so many steps. `seed` is that of the first; the next has the next number.
 * The calling thread goes to live in a network namespace.
 */
export function compare(
  steps: number,
  seed: number,
  uids: readonly number[],
  progress?: (steps: number) => void,
): Comparison {
  const done = { steps: 0, scenarios: 0 };
  for (; done.steps < steps; done.scenarios++) {
    const slot = done.scenarios % SCENARIOS_PER_NAMESPACE;
    if (slot === 0) enterField();
    const { host, course } = randomCourse(seed + done.scenarios, FIRST_PORT + 10 * slot, uids);
    done.steps += course.steps.length;
    if (course.disagreement) {
      return { ...done, disagreement: describe(seed + done.scenarios, host, shrink(host, course)) };
    }
    progress?.(done.steps);
  }
  return done;
}
