/** A process of the story, and the sockets it has. */
import type { Call, Data, Failure, PollEvent, Result, SocketOption, Success } from "../call/call.ts";
import { errnoName, type Errno } from "../call/errno.ts";
import type { EndState, SocketTimer } from "../trace/trace.ts";
import { PATIENCE_MS, take, Unmet, type Scene, type Story } from "./story.ts";
import type { PendingCall, Signal } from "./world.ts";

/** What a listener is made with, beyond its port. */
export interface ListenOptions {
  /** The wildcard of IPv4 without. */
  address?: string;
  reuseAddress?: boolean;
  reusePort?: boolean;
  v6only?: boolean;
  backlog?: number;
}

/** What a client's socket is made with. */
export interface ConnectOptions {
  /**
   * The port to bind before connecting, with SO_REUSEADDR; 0 binds the address and leaves the port to the kernel. Nothing
   * is bound without.
   */
  from?: number;
  /** The address to connect to, where the host has several. */
  to?: string;
  options?: Partial<Record<SocketOption, number>>;
}

/** Where a process lives, or connects to. */
export interface Place {
  readonly name: string;
  /** The first of its addresses. */
  readonly address: string;
  readonly addresses: readonly string[];
}

/** "ok", or the errno's name. */
export type Code = "ok" | Errno;

export function codeOf(result: Result): Code {
  return result.ok ? "ok" : result.code;
}

/** Something that may have failed: the step that did, or the socket that it made. */
export type Attempt = { code: "ok"; socket: Socket } | { code: Errno; step: Call["name"] };

export class Process {
  constructor(
    readonly scene: Scene,
    readonly name: string,
    readonly host: Place,
  ) {}

  /** Makes a call without waiting for it to return. */
  *begin(call: Call): Story<PendingCall> {
    return yield* take({ step: "call", process: this.name, call });
  }

  /** Waits for a call to return. */
  *finish(pending: PendingCall, withinMs = PATIENCE_MS): Story<Result> {
    const what = `${pending.call.name} of ${this.name} returns`;
    if (!pending.result) yield* take({ step: "wait", what, until: () => pending.result !== undefined, withinMs });
    return pending.result!;
  }

  /** Makes a call and waits for its result. */
  *call(call: Call): Story<Result> {
    return yield* this.finish(yield* this.begin(call));
  }

  /** Makes a call that must succeed. */
  *must(call: Call): Story<Success> {
    return yield* this.succeed(yield* this.begin(call));
  }

  *socket(family: "IPv4" | "IPv6" = "IPv4"): Story<Socket> {
    const pending = yield* this.begin({ name: "socket", family });
    const { value } = yield* this.succeed(pending);
    return new Socket(this, value, pending.socket!);
  }

  *succeed(pending: PendingCall): Story<Success> {
    const result = yield* this.finish(pending);
    if (!result.ok) throw new Unmet(`${pending.call.name} of ${this.name} fails: ${result.code} (${result.errno})`);
    return result;
  }

  /** socket, options, bind, listen; stops at the first that fails, and closes the socket then. */
  *tryListen(port: number, options: ListenOptions = {}): Story<Attempt> {
    const { address = "0.0.0.0", backlog = 16 } = options;
    const socket = yield* this.socket(address.includes(":") ? "IPv6" : "IPv4");
    if (options.reuseAddress) yield* socket.set("SO_REUSEADDR", 1);
    if (options.reusePort) yield* socket.set("SO_REUSEPORT", 1);
    if (options.v6only !== undefined) yield* socket.set("IPV6_V6ONLY", options.v6only ? 1 : 0);
    for (const call of [
      { name: "bind", fd: socket.fd, address, port },
      { name: "listen", fd: socket.fd, backlog },
    ] as const) {
      const result: Result = yield* this.call(call);
      if (result.ok) continue;
      yield* socket.close();
      return { code: result.code, step: call.name };
    }
    return { code: "ok", socket };
  }

  /** A listener that must come about. */
  *listen(port: number, options: ListenOptions = {}): Story<Socket> {
    return this.#made(yield* this.tryListen(port, options), `listening on port ${port}`);
  }

  /** socket, options, connect; closes the socket if connect fails. */
  *tryConnect(host: Place, port: number, { from, to, options = {} }: ConnectOptions = {}): Story<Attempt> {
    const address = to ?? host.address;
    const socket = yield* this.socket(address.includes(":") ? "IPv6" : "IPv4");
    for (const [option, value] of Object.entries(options)) yield* socket.set(option as SocketOption, value);
    if (from !== undefined) {
      if (from > 0) yield* socket.set("SO_REUSEADDR", 1);
      const bound = yield* this.call({ name: "bind", fd: socket.fd, address: this.#ownAddress(address), port: from });
      if (!bound.ok) return yield* this.#giveUp(socket, bound, "bind");
    }
    const connected = yield* this.call({ name: "connect", fd: socket.fd, address, port });
    return connected.ok ? { code: "ok", socket } : yield* this.#giveUp(socket, connected, "connect");
  }

  *#giveUp(socket: Socket, { code }: Failure, step: Call["name"]): Story<Attempt> {
    yield* socket.close();
    return { code, step };
  }

  #ownAddress(peer: string): string {
    return this.host.addresses.find((address) => address.includes(":") === peer.includes(":"))!;
  }

  /** A connection that must come about. */
  *connect(host: Place, port: number, options: ConnectOptions = {}): Story<Socket> {
    return this.#made(yield* this.tryConnect(host, port, options), `connecting to port ${port}`);
  }

  #made(attempt: Attempt, what: string): Socket {
    if (attempt.code === "ok") return attempt.socket;
    throw new Unmet(`${what}: ${this.name}'s ${attempt.step} fails: ${attempt.code}`);
  }

  /** A child that has every descriptor of this process. Takes a mortal process. */
  *fork(name: string): Story<Process> {
    yield* this.must({ name: "fork", child: name });
    return new Process(this.scene, name, this.host);
  }

  /** This process's own view of a socket that it has inherited. */
  inherited(socket: Socket): Socket {
    return new Socket(this, socket.fd, socket.id);
  }

  *setUid(uid: number): Story {
    yield* this.must({ name: "setuid", uid });
  }

  /** The process ends itself: by exit(3), or by returning from main. */
  *exit(by: "exit" | "return" = "exit", status = 0): Story {
    yield* this.call({ name: "exit", status, by });
  }

  /** Somebody ends the process. */
  *kill(signal: Signal = "SIGKILL"): Story {
    yield* take({ step: "signal", name: this.name, signal });
  }
}

/** What a read gave: text and length, 0 at the end of the stream; or the errno. */
export interface ReadResult {
  code: Code;
  length: number;
  text: string;
}

export class Socket {
  constructor(
    readonly process: Process,
    readonly fd: number,
    /** The trace's name for it. */
    readonly id: string,
  ) {}

  /** An expectation that shows a socket shows its id. */
  toJSON(): string {
    return this.id;
  }

  /** Its state as last seen; CLOSED when there is none any more. Of a descriptor that is closed, too. */
  get state(): EndState {
    return this.process.scene.recorder.socket(this.id)?.state ?? "CLOSED";
  }

  /** The states that it has been seen in after this one, in order. */
  statesAfter(state: EndState): EndState[] {
    const { events } = this.process.scene.recorder;
    const life = events.flatMap((event) => (event.kind === "state" && event.socket === this.id ? [event.to] : []));
    return life.slice(life.indexOf(state) + 1);
  }

  get timer(): SocketTimer | undefined {
    return this.process.scene.recorder.socket(this.id)?.timer;
  }

  /** Bytes received and not read, as the kernel last listed them (`Recv-Q`): the peer's FIN counts as one. */
  get receiveQueue(): number {
    return this.process.scene.recorder.socket(this.id)?.queues.receive ?? 0;
  }

  /** Bytes written and not acknowledged, as the kernel last listed them (`Send-Q`): a FIN counts as one. */
  get sendQueue(): number {
    return this.process.scene.recorder.socket(this.id)?.queues.send ?? 0;
  }

  /** The port it is bound to, as last seen. */
  get port(): number {
    return this.process.scene.recorder.socket(this.id)?.local.port ?? 0;
  }

  *set(option: SocketOption, value: number): Story {
    yield* this.process.must({ name: "setsockopt", fd: this.fd, option, value });
  }

  *get(option: SocketOption): Story<number> {
    return (yield* this.process.must({ name: "getsockopt", fd: this.fd, option })).value;
  }

  /** SO_ERROR, which reading clears: "ok", or the errno's name. */
  *error(): Story<Code> {
    const errno = yield* this.get("SO_ERROR");
    return errno === 0 ? "ok" : errnoName(errno);
  }

  *accept(): Story<Socket> {
    const pending = yield* this.process.begin({ name: "accept", fd: this.fd });
    const { value } = yield* this.process.succeed(pending);
    return new Socket(this.process, value, pending.socket!);
  }

  *read(length = 65_536): Story<ReadResult> {
    const result = yield* this.process.call({ name: "read", fd: this.fd, length });
    if (!result.ok) return { code: result.code, length: 0, text: "" };
    return { code: "ok", length: result.value, text: new TextDecoder("latin1").decode(result.bytes) };
  }

  /** Reads, and says in short what that gave: the text without zeros at its end, `end of stream`, or the errno's name. */
  *readInShort(): Story<string> {
    const { code, length, text } = yield* this.read();
    if (code !== "ok") return code;
    return length === 0 ? "end of stream" : text.replace(/\0+$/, "");
  }

  /** How many bytes were written, or the errno's name. Waits until the kernel has taken all. */
  *write(data: Data, more = false): Story<number | Errno> {
    const result = yield* this.process.call({ name: "write", fd: this.fd, data, ...(more && { more }) });
    return result.ok ? result.value : result.code;
  }

  *shutdown(how: "read" | "write" | "both" = "write"): Story {
    yield* this.process.must({ name: "shutdown", fd: this.fd, how });
  }

  *close(): Story {
    yield* this.process.must({ name: "close", fd: this.fd });
  }

  /** Closes with a RST instead of a FIN: SO_LINGER with 0 seconds. */
  *abort(): Story {
    yield* this.set("SO_LINGER", 0);
    yield* this.close();
  }

  *poll(): Story<readonly PollEvent[]> {
    return (yield* this.process.must({ name: "poll", fd: this.fd })).events ?? [];
  }

  /** Bytes that wait to be read, or to be acknowledged. */
  *queued(request: "SIOCINQ" | "SIOCOUTQ"): Story<number> {
    return (yield* this.process.must({ name: "ioctl", fd: this.fd, request })).value;
  }

  /** Waits until the kernel reports this state. */
  *reaches(state: EndState, withinMs = PATIENCE_MS): Story {
    yield* this.process.scene.until(`${this.id} is in ${state}`, () => this.state === state, withinMs);
  }

  /** Removed from the kernel as no program can: SOCK_DESTROY. */
  *destroy(): Story {
    yield* take({ step: "destroy", socket: this.id });
  }
}
