/** Makes the requests of src/bind on the running kernel, with sockets by their names. */
import type { Call, Failure, Result } from "../../call/call.ts";
import { errnoName } from "../../call/errno.ts";
import type { Choice } from "../../bind/connect.ts";
import type { Request } from "../../bind/step.ts";
import { interfaceIndex } from "../../linux/interfaces.ts";
import { Unavailable } from "../../lab/world.ts";
import * as sys from "../../sys/index.ts";
import { SocketCalls, WOULD_BLOCK } from "./socket-calls.ts";

const TCP_INFO_UNACKED = 24; // struct tcp_info, include/uapi/linux/tcp.h; of a listener: how many wait to be accepted

/** A name that no device has: longer than they can be. */
const NO_DEVICE = "none-of-this-host";

/** What the kernel answered, and what it chose. */
export interface Ran {
  /** "waits": a blocking call would block. */
  result: Result | "waits";
  choice: Choice;
}

/** How long a connection may take to be made over loopback where it is expected, milliseconds. */
const PATIENCE_MS = 200;

/** Calls behind which somebody may owe the acknowledgement of a FIN, and can be made to send it. */
const ACKNOWLEDGED = new Set<Request["name"]>(["accept", "close", "shutdown"]);

export class BindRun {
  readonly #calls: SocketCalls;
  readonly #numbers = new Map<string, number>();

  /**
   * `devices`: their names by the numbers that requests have for them. `inHost` runs what makes a socket in the namespace
   * where it belongs.
   */
  constructor(
    private readonly devices: readonly string[],
    private readonly inHost: <T>(make: () => T) => T = (make) => make(),
  ) {
    this.#calls = new SocketCalls(inHost);
  }

  #fd(name: string): number {
    const number = this.#numbers.get(name);
    if (number === undefined) throw new TypeError(`there is no socket ${name}`);
    return number;
  }

  #as<T>(uid: number | undefined, make: () => T): T {
    if (!uid) return make();
    const before = sys.setfsuid(uid);
    try {
      // It tells no failure: where the user namespace has no such user, everything stays as it is.
      if (sys.setfsuid(uid) !== uid) throw new Unavailable("a second uid");
      return make();
    } finally {
      sys.setfsuid(before);
    }
  }

  #callOf(request: Request): Call {
    if (request.name === "socket") return { name: "socket", family: request.family };
    const { socket, ...rest } = request;
    const call = { ...rest, fd: this.#fd(socket) } as Call;
    if (call.name !== "setsockopt" || call.option !== "SO_BINDTOIFINDEX" || call.value === 0) return call;
    const device = this.devices[call.value] ?? NO_DEVICE;
    return { ...call, value: this.inHost(() => interfaceIndex(device)) };
  }

  /** A device is looked up by its name, as SO_BINDTODEVICE does: the kernel's refusal of the name is the answer. */
  #tryCallOf(request: Request): Call | Failure {
    try {
      return this.#callOf(request);
    } catch (error) {
      if (!(error instanceof sys.SyscallError)) throw error;
      return { ok: false, errno: error.errno, code: errnoName(error.errno) };
    }
  }

  #perform(request: Request, patienceMs: number): Result | "waits" {
    const call = this.#tryCallOf(request);
    if ("ok" in call) return call;
    const uid = request.name === "socket" || request.name === "accept" ? request.uid : undefined;
    const make = () => this.#as(uid, () => this.#calls.perform(call).result);
    const result = make();
    if (result !== WOULD_BLOCK) return result;
    const fd = this.#calls.real(this.#fd(request.socket))!;
    sys.poll([{ fd, events: call.name === "accept" ? sys.POLLIN : sys.POLLOUT }], patienceMs);
    const again = make();
    return again === WOULD_BLOCK ? "waits" : again;
  }

  #portOf(name: string): number {
    const result = this.#calls.perform({ name: "getsockname", fd: this.#fd(name) }).result;
    return result !== WOULD_BLOCK && result.ok ? result.endpoint!.port : 0;
  }

  /** How many connections wait at this listener. */
  #waitingAt(name: string): number {
    const info = sys.getsockoptBytes(this.#calls.real(this.#fd(name))!, sys.IPPROTO_TCP, sys.TCP_INFO, 256);
    return new DataView(info.buffer, info.byteOffset).getUint32(TCP_INFO_UNACKED, true);
  }

  /**
   * The acknowledgements that sockets owe are sent now, not 40 ms later: states are those that a FIN leads to. (The
   * kernel sends none while the FIN has not been read.)
   */
  #acknowledge(): void {
    for (const number of this.#numbers.values()) {
      const fd = this.#calls.real(number)!;
      sys.tryRecv(fd, new Uint8Array(1));
      sys.trySetsockopt(fd, sys.IPPROTO_TCP, sys.TCP_QUICKACK, 1);
    }
  }

  /** `listeners`: those that may be given the connection that `request` makes. `waits`: it is expected to block. */
  run(request: Request, listeners: readonly string[] = [], waits = false): Ran {
    const before = listeners.length > 1 ? listeners.map((name) => this.#waitingAt(name)) : [];
    const result = this.#perform(request, waits ? 0 : PATIENCE_MS);
    const choice: Choice = {};
    if (result === "waits" || !result.ok) return { result, choice };
    if (request.name === "socket") this.#numbers.set(request.socket, result.value);
    if (request.name === "accept") this.#numbers.set(request.as, result.value);
    if (request.name === "close") this.#numbers.delete(request.socket);
    if (ACKNOWLEDGED.has(request.name)) this.#acknowledge();
    if (request.name === "bind" || request.name === "listen" || request.name === "connect") {
      choice.port = this.#portOf(request.socket);
    }
    const taker = before.findIndex((count, i) => this.#waitingAt(listeners[i]!) > count);
    if (taker >= 0) choice.listener = listeners[taker]!;
    return { result, choice };
  }

  close(): void {
    this.#calls.close();
    this.#numbers.clear();
  }
}
