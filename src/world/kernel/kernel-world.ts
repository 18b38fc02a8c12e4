/** The kernel world: real sockets of the running kernel on hosts that are network namespaces, joined by a wire of ours. */
import { existsSync } from "node:fs";
import type { Call } from "../../call/call.ts";
import {
  Unavailable,
  type Ending,
  type HostSpec,
  type PendingCall,
  type ProcessSpec,
  type ProgramSpec,
  type Signal,
  type World,
} from "../../lab/world.ts";
import { Cast } from "../../lab/cast.ts";
import { addressesOnWire, Wire } from "../../lab/wire.ts";
import { Link } from "../../link/link.ts";
import { parseIp } from "../../codec/address.ts";
import { endAllIn } from "../../linux/residents.ts";
import { poll, POLLIN } from "../../sys/index.ts";
import { Recorder } from "../../trace/recorder.ts";
import { Guard } from "./guard.ts";
import { enterHome, systemName } from "./home.ts";
import { KernelHost } from "./host.ts";
import { Observer } from "./observer.ts";
import { makePort } from "./ports.ts";
import type { LinkKind } from "./port.ts";
import { ChildLabProcess, ThreadProcess, type LabProcess } from "./process.ts";
import { Program } from "./program.ts";
import { PendingCalls } from "./pending.ts";

export interface KernelWorldOptions {
  /** How hosts are joined to the wire; without: by TUN where that can be had, else by veth. */
  link?: LinkKind;
  /** The path of lab-process.cjs. */
  childScript: string;
}

/** The kernel tells of no end of a timer: sockets are looked at this often while time passes, milliseconds. */
const LOOK_EVERY_MS = 10;

/** Calls that change nothing of a socket's state. */
const HARMLESS = new Set<Call["name"]>([
  "socket",
  "setsockopt",
  "getsockopt",
  "getsockname",
  "poll",
  "ioctl",
  "setuid",
]);

export class KernelWorld implements World {
  readonly kind = "kernel";
  readonly system = systemName();
  readonly startedAtMs = Date.now();
  readonly link = new Link();
  readonly recorder: Recorder;
  readonly #hosts = new Cast<KernelHost>("host");
  readonly #processes = new Cast<LabProcess>("process");
  readonly #programs = new Map<string, Program>();
  #guard: Guard | undefined;
  readonly #observer: Observer;
  readonly #wire: Wire;
  readonly #pending: PendingCalls;
  readonly #hostParameters: Readonly<Record<string, string>>;

  /** Throws `NoNamespace`. */
  constructor(private readonly options: KernelWorldOptions) {
    this.#hostParameters = enterHome();
    const start = performance.now();
    this.recorder = new Recorder(() => Math.round((performance.now() - start) * 1000));
    this.#observer = new Observer(this.recorder);
    this.#wire = new Wire(this.link, this.recorder, (name, packet, bytes, event) => {
      const host = this.#hosts.named(name);
      host.touchedBy = event;
      host.port.deliver(bytes);
      this.#observer.lookAfter(host, packet, event);
    });
    this.#pending = new PendingCalls(
      this.recorder,
      () => this.#processes.values(),
      (process, call, cause) => this.#lookAfterCall(process, call, cause),
    );
  }

  /** How hosts are joined to the wire; undefined: that is seen when the first is made. */
  get linkKind(): LinkKind | undefined {
    const [first] = this.#hosts.values();
    return first?.port.kind ?? this.options.link;
  }

  addHost({ name, addresses = 1, mtu = 1500 }: HostSpec): string[] {
    const all = addressesOnWire(this.#hosts.size + 1, addresses, { ipv6: existsSync("/proc/sys/net/ipv6") });
    const port = (namespace: KernelHost["namespace"]) => makePort(this.linkKind, namespace);
    this.#hosts.enter(new KernelHost(name, all, mtu, port, this.#hostParameters));
    for (const address of all) this.#wire.attach(address, name);
    this.recorder.hosts.push({ name, addresses: all });
    return all;
  }

  startProcess(spec: ProcessSpec): void {
    const host = this.#hosts.named(spec.host);
    const process = spec.mortal
      ? new ChildLabProcess(spec, host, this.options.childScript)
      : new ThreadProcess(spec, host);
    this.#adopt(process, "starts");
  }

  #adopt(process: LabProcess, text: string): void {
    this.#processes.enter(process);
    const about = { host: process.host.name, process: process.name };
    this.recorder.note("process", text, about);
  }

  startProgram(spec: ProgramSpec): void {
    const host = this.#hosts.named(spec.host);
    const namespaces = [...this.#hosts.values()].map(({ namespace }) => namespace.inode);
    this.#guard ??= new Guard(this.options.childScript, namespaces);
    this.#programs.set(spec.name, new Program(spec, host, this.recorder));
  }

  endingOf(name: string): Ending | undefined {
    return (this.#programs.get(name) ?? this.#processes.named(name)).ending();
  }

  begin(name: string, call: Call): PendingCall {
    const process = this.#processes.named(name);
    if (call.name === "fork") {
      if (!(process instanceof ChildLabProcess)) throw new TypeError(`${name} is not mortal: it can't fork`);
      const child = process.fork(call.child);
      const pending = this.#pending.done(process, call, { ok: true, value: child.pid });
      this.#adopt(child, `is a child of ${name}`);
      return pending;
    }
    if (call.name === "setuid" && !(process instanceof ChildLabProcess)) {
      throw new TypeError(`${name} is not mortal: it can't change its user`);
    }
    const pending = this.#pending.begin(process, call);
    if (call.name === "setuid" && pending.result?.ok === false && pending.result.code === "EINVAL") {
      throw new Unavailable("a second uid");
    }
    return pending;
  }

  #lookAfterCall(process: LabProcess, call: Call, cause: number): void {
    const { host } = process;
    host.touchedBy = cause;
    if (HARMLESS.has(call.name)) return;
    const socket = call.name === "read" || call.name === "write" ? this.#pending.socketOf(cause) : undefined;
    const known = socket === undefined ? undefined : this.recorder.socket(socket);
    // Over loopback the other end is this host's as well.
    const isRemote = known && known.peer.port !== 0 && known.peer.address !== known.local.address;
    if (isRemote) this.#observer.lookBetween(host, known.local, known.peer, cause);
    else this.#observer.lookAtAll(host, cause, call.name === "bind");
  }

  /** Carries what the hosts send, until none has sent anything since all others were last heard. */
  #carry(): void {
    const hosts = [...this.#hosts.values()];
    for (let silent = 0, i = 0; silent < hosts.length; silent++, i++) {
      const host = hosts[i % hosts.length]!;
      for (let packet; (packet = host.port.receive()); silent = 0) {
        this.#wire.carry(host.name, packet, host.touchedBy);
      }
    }
  }

  settle(): void {
    do {
      this.#wire.moveDue();
      do this.#carry();
      while (this.#wire.moveDue());
    } while (this.#pending.retry());
    for (const program of this.#programs.values()) if (program.read()) this.#observer.lookAtAll(program.host);
  }

  advance(untilUs: number): void {
    const now = this.recorder.nowUs();
    const due = Math.min(untilUs, this.link.nextDueUs ?? Infinity);
    const waitMs = Math.min(LOOK_EVERY_MS, Math.max(0, (due - now) / 1000));
    poll(
      [...[...this.#hosts.values()].map(({ port }) => ({ fd: port.fd, events: POLLIN })), ...this.#pending.waitFor()],
      waitMs,
    );
    for (const host of this.#hosts.values()) host.touchedBy = this.#observer.lookAtAll(host);
    this.settle();
  }

  release(name: string, count?: number): void {
    this.#wire.release(name, count);
    this.settle();
  }

  signal(name: string, signal: Signal): void {
    const program = this.#programs.get(name);
    if (program) {
      program.signal(signal);
      return;
    }
    const process = this.#processes.named(name);
    if (!(process instanceof ChildLabProcess)) throw new TypeError(`${name} is not mortal: it can't be sent ${signal}`);
    const { host } = process;
    const event = this.recorder.note("process", `is sent ${signal}`, { host: host.name, process: name });
    process.signal(signal);
    host.touchedBy = event;
    this.#observer.lookAtAll(host, event);
    this.settle();
  }

  destroy(id: string): void {
    const socket = this.recorder.socket(id);
    if (!socket) throw new TypeError(`there is no socket ${id}`);
    const host = this.#hosts.named(socket.host);
    const cookie = this.recorder.keysOf(host.name).find(([, known]) => known.id === id)?.[0];
    const event = this.recorder.note("setting", `${id} is removed (SOCK_DESTROY)`, { host: host.name });
    const source = parseIp(socket.local.address)!;
    host.diag.destroy(source.length === 4 ? 2 : 10, {
      source,
      sourcePort: socket.local.port,
      destination: parseIp(socket.peer.address)!,
      destinationPort: socket.peer.port,
      interfaceIndex: 0,
      cookie: BigInt(cookie!),
    });
    host.touchedBy = event;
    this.#observer.lookAtAll(host, event);
    this.settle();
  }

  set(name: string, parameter: string, value: string | number): void {
    this.#hosts.named(name).set(parameter, value);
    this.recorder.note("setting", `${parameter} = ${value}`, { host: name });
  }

  counter(name: string, counter: string): number {
    return this.#hosts.named(name).counter(counter) ?? 0;
  }

  close(): void {
    for (const process of this.#processes.values()) process.close();
    if (this.#programs.size > 0) endAllIn([...this.#hosts.values()].map(({ namespace }) => namespace.inode));
    for (const program of this.#programs.values()) program.close();
    this.#guard?.close();
    for (const host of this.#hosts.values()) host.close();
  }
}
