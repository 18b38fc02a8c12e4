/** The processes of the kernel world: the lab's own thread in that role, or a child. */
import { spawn } from "node:child_process";
import type { Call } from "../../call/call.ts";
import type { Ending, ProcessSpec, Signal } from "../../lab/world.ts";
import {
  AF_UNIX,
  Fd,
  pidfdGetfd,
  pidfdOpen,
  pidfdSendSignal,
  poll,
  POLLIN,
  POLLOUT,
  recv,
  send,
  signalNumber,
  type PollRequest,
  SOCK_SEQPACKET,
  socketpair,
} from "../../sys/index.ts";
import {
  CHANNEL_FD,
  decodeMessage,
  encodeMessage,
  fromReply,
  type ChildReply,
  type ChildRequest,
} from "./child-protocol.ts";
import { awaitEnd, endingOf } from "./ending.ts";
import type { KernelHost } from "./host.ts";
import { SocketCalls, type Performed } from "./socket-calls.ts";

/** How long a child may take to answer, milliseconds. */
const PATIENCE_MS = 20_000;
const MAX_MESSAGE = 1 << 18;

/** A process as the world sees it. */
export interface LabProcess {
  readonly name: string;
  readonly host: KernelHost;
  /** Its pid, where it is a process of its own. */
  readonly pid?: number;
  perform(call: Call): Performed;
  /** What to wait for until a blocked call can go on; undefined where it can't be waited for from here. */
  waitFor(call: Call): PollRequest | undefined;
  ending(): Ending | undefined;
  close(): void;
}

/** The lab's thread: it makes the calls itself, on sockets that it made in the host's namespace. */
export class ThreadProcess implements LabProcess {
  readonly name: string;
  readonly #calls: SocketCalls;

  constructor(
    spec: ProcessSpec,
    readonly host: KernelHost,
  ) {
    this.name = spec.name;
    this.#calls = new SocketCalls((make) => host.namespace.run(make));
  }

  perform(call: Call): Performed {
    return this.#calls.perform(call);
  }

  waitFor(call: Call): PollRequest | undefined {
    const fd = "fd" in call ? this.#calls.real(call.fd) : undefined;
    const receives = call.name === "read" || call.name === "accept";
    return fd && { fd, events: receives ? POLLIN : POLLOUT };
  }

  ending(): undefined {
    return undefined;
  }

  close(): void {
    this.#calls.close();
  }
}

/** A process of its own. It does nothing but make the calls that it is told to, and never blocks in one. */
export class ChildLabProcess implements LabProcess {
  readonly name: string;
  readonly pid: number;
  readonly #channel: Fd;
  readonly #pidfd: Fd;
  readonly #ids = new WeakMap<Call, number>();
  #lastId = 0;

  /** `script`: lab-process.cjs. `inherited`: the descriptors it begins with, which are closed here. */
  constructor(
    spec: ProcessSpec,
    readonly host: KernelHost,
    private readonly script: string,
    inherited: ReadonlyMap<number, Fd> = new Map(),
  ) {
    this.name = spec.name;
    const [ours, theirs] = socketpair(AF_UNIX, SOCK_SEQPACKET);
    const first = CHANNEL_FD + 1;
    const pairs = [...inherited.keys()].map((number, i) => `${number}=${first + i}`);
    const descriptors = [...inherited.values()].map((fd) => fd.number);
    const child = host.namespace.run(() =>
      spawn(process.execPath, [script, ...pairs], {
        env: { ...process.env, NODE_EXTRA_CA_CERTS: undefined }, // reading certificates makes every start slower
        stdio: ["ignore", "ignore", 2, theirs.number, ...descriptors],
      }),
    );
    theirs.close();
    for (const fd of inherited.values()) fd.close();
    if (child.pid === undefined) throw new Error(`the process ${spec.name} could not be started`);
    child.unref();
    this.pid = child.pid;
    this.#pidfd = pidfdOpen(child.pid);
    this.#channel = ours;
    this.#receive(); // ready
  }

  #receive(): ChildReply {
    const [channel] = poll([{ fd: this.#channel, events: POLLIN }], PATIENCE_MS);
    const buffer = new Uint8Array(MAX_MESSAGE);
    const length = channel === 0 ? 0 : recv(this.#channel, buffer);
    if (length === 0) throw new Error(`the process ${this.name} (pid ${this.pid}) does not answer`);
    return decodeMessage(buffer.subarray(0, length));
  }

  #ask<K extends ChildReply["is"]>(request: ChildRequest, is: K): ChildReply & { is: K } {
    send(this.#channel, encodeMessage(request));
    const reply = this.#receive();
    if (reply.is !== is) throw new Error(`the process ${this.name} answers out of turn`);
    return reply as ChildReply & { is: K };
  }

  perform(call: Call): Performed {
    const id = this.#ids.get(call) ?? ++this.#lastId;
    this.#ids.set(call, id);
    if (call.name === "exit") {
      send(this.#channel, encodeMessage({ do: "call", call, id }));
      awaitEnd(this.#pidfd, this.name);
      return { result: { ok: true, value: 0 } };
    }
    return fromReply(this.#ask({ do: "call", call, id }, "performed"));
  }

  waitFor(): undefined {
    return undefined;
  }

  /** A new process with this one's descriptors, under the same numbers. */
  fork(name: string): ChildLabProcess {
    const { descriptors } = this.#ask({ do: "descriptors" }, "descriptors");
    const inherited = new Map(descriptors.map(([number, real]) => [number, pidfdGetfd(this.#pidfd, real)]));
    return new ChildLabProcess({ name, host: this.host.name }, this.host, this.script, inherited);
  }

  signal(signal: Signal): void {
    pidfdSendSignal(this.#pidfd, signalNumber(signal));
    awaitEnd(this.#pidfd, this.name);
  }

  ending(): Ending | undefined {
    return endingOf(this.#pidfd);
  }

  close(): void {
    if (!this.ending()) this.signal("SIGKILL");
    this.#channel.close();
    this.#pidfd.close();
  }
}
