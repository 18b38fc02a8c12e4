/** Random scenarios of binding, made on the running kernel and answered by the rules, step by step. */
import { listenersAt, type Choice } from "../../src/bind/connect.ts";
import { devicesOf, type Request } from "../../src/bind/requests.ts";
import {
  emptyState,
  isMini,
  PLAIN_HOST,
  type Host,
  type LocalAddress,
  type Socket,
  type State,
} from "../../src/bind/state.ts";
import { step } from "../../src/bind/step.ts";
import { applyHost, runBeside, type Beside } from "../../src/world/kernel/bind-host.ts";
import { addAddress, linkUp } from "../../src/linux/rtnetlink.ts";
import { DEVICE } from "../../src/world/kernel/port.ts";
import { TunPort } from "../../src/world/kernel/tun-port.ts";
import { parseIp } from "../../src/codec/address.ts";
import { SyscallError } from "../../src/sys/index.ts";
import { BindRun } from "../../src/world/kernel/bind-run.ts";
import { enterNewNetworkNamespace } from "../../src/linux/namespace.ts";
import { writeParameter } from "../../src/linux/parameter.ts";
import { choosesFromOdd, pick, randomRequests, randomTheme, type Random } from "./bind-random.ts";
import { generator } from "./random.ts";

/**
 * True for a FIN that goes to a connection which nobody has accepted: it is acknowledged 40 ms later, and until then the
 * sender is in FIN-WAIT-1, which keeps its user and all that its port's bucket knows.
 */
function isAcknowledgedLate({ sockets }: State, { state, peer }: Socket): boolean {
  if (state !== "ESTABLISHED") return false;
  return [...sockets.values()].some(({ holder, port }) => holder === "queue" && port === peer!.port);
}

/**
 * True for a connect that nobody hears, at a port with a TIME-WAIT: refused, it does not tell the port that was chosen for
 * it. By chance that is the port of the TIME-WAIT's peer; then an ACK answers, and the RST for it ends the TIME-WAIT.
 */
function mayEndTimeWait({ sockets }: State, socket: Socket, port: number): boolean {
  return socket.port === 0 && [...sockets.values()].some((other) => isMini(other) && other.port === port);
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
    const { outcome, rule } = step(state, request).answer;
    return outcome === "waits" || (rule === "no listener" && mayEndTimeWait(state, socket!, request.port));
  }
  // A connection that moves to another device is deaf to its peer.
  if (request.name === "setsockopt" && request.option === "SO_BINDTOIFINDEX") return socket!.peer !== undefined;
  if (request.name === "close" || request.name === "shutdown") return isAcknowledgedLate(state, socket!);
  return choosesFromOdd(state, request);
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

/** A namespace to make scenarios in: loopback, and where it can be had a second device. */
interface Field {
  addresses: readonly LocalAddress[];
  close(): void;
}

const SECOND: LocalAddress = { address: "10.9.0.1", onLink: 24, device: DEVICE };

function secondDevice(): TunPort | undefined {
  try {
    return new TunPort();
  } catch (error) {
    if (error instanceof SyscallError) return undefined; // no /dev/net/tun, or none for this user
    throw error;
  }
}

/** A new network namespace for the calling thread, with room for all the TIME-WAIT that scenarios leave. */
function enterField(): Field {
  if (!enterNewNetworkNamespace()) throw new Error("the kernel grants no network namespace");
  writeParameter("net.ipv4.tcp_max_tw_buckets", 1_000_000);
  const device = secondDevice();
  if (!device) return { addresses: PLAIN_HOST.addresses, close: () => {} };
  linkUp(DEVICE, { mtu: 1500, noArp: true });
  addAddress(DEVICE, parseIp(SECOND.address)!, SECOND.onLink!);
  return { addresses: [...PLAIN_HOST.addresses, SECOND], close: () => device.close() };
}

/** Local port ranges of one port, or of an even number. */
const RANGE_LENGTHS = [1, 2, 4, 4, 6];

function hostFor(random: Random, base: number, { addresses }: Field): Host {
  const low = base + pick(random, [0, 1, 2, 4]);
  const high = low + pick(random, RANGE_LENGTHS) - 1;
  const timestamps = random() < 0.5;
  const reserved = low + Math.floor(random() * 6);
  const reservedPorts: Host["reservedPorts"] = random() < 0.2 ? [[reserved, reserved]] : [];
  return { ...PLAIN_HOST, addresses, portRange: [low, high], reservedPorts, timestamps };
}

function randomCourse(
  seed: number,
  base: number,
  uids: readonly number[],
  field: Field,
): { host: Host; course: Course } {
  const random = generator(seed);
  const host = hostFor(random, base, field);
  const theme = randomTheme(random, base, uids, devicesOf({ host }).length - 1);
  applyHost(host);
  const ahead: Request[] = [];
  let made = 0;
  let attempts = 0;
  const course = runCourse(host, (state) => {
    if (made >= LONGEST || attempts++ >= ATTEMPTS) return undefined;
    if (ahead.length === 0) ahead.push(...randomRequests(random, theme, state, ++made));
    return ahead.shift();
  });
  return { host, course };
}

/** Leaves out steps for as long as the two still do not agree. Each try has a namespace of its own. */
function shrink(host: Host, course: Course): Course {
  for (let i = course.steps.length - 2; i >= 0; i--) {
    const fewer = course.steps.filter((_, at) => at !== i).map(({ request }) => request);
    const field = enterField();
    applyHost(host);
    const tried = runCourse(host, () => fewer.shift());
    field.close();
    if (tried.disagreement) return shrink(host, tried);
  }
  return course;
}

/** A disagreement at its smallest, as people read it, with the line that replays it. */
function describe(seed: number, host: Host, { steps, disagreement }: Course): string {
  const { predicted, ran } = disagreement!;
  const scenario = {
    schema: 1,
    host: {
      addresses: [SECOND.address],
      portRange: host.portRange,
      reservedPorts: host.reservedPorts,
      timestamps: host.timestamps,
    },
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
  if (request.name !== "setsockopt") return { call, ...rest };
  const { socket, option, value } = request;
  if (option === "IP_LOCAL_PORT_RANGE") return { call, socket, options: { [option]: [value & 0xffff, value >>> 16] } };
  if (option !== "SO_BINDTOIFINDEX") return { call, socket, options: { [option]: value } };
  return { call, socket, options: { SO_BINDTODEVICE: ["", "lo", DEVICE][value] ?? "none" } };
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
  let field = enterField();
  try {
    for (; done.steps < steps; done.scenarios++) {
      const slot = done.scenarios % SCENARIOS_PER_NAMESPACE;
      if (slot === 0 && done.scenarios > 0) {
        field.close();
        field = enterField();
      }
      const { host, course } = randomCourse(seed + done.scenarios, FIRST_PORT + 10 * slot, uids, field);
      done.steps += course.steps.length;
      if (course.disagreement) {
        return { ...done, disagreement: describe(seed + done.scenarios, host, shrink(host, course)) };
      }
      progress?.(done.steps);
    }
    return done;
  } finally {
    field.close();
  }
}
