/** The model world: modelled hosts, joined by the same wire as the kernel world's, in a time that is only counted. */
import type { Call } from "../../call/call.ts";
import {
  COUNTERS,
  createHost,
  destroySocket,
  endProcess,
  handlePacket,
  handleTimeout,
  isParameter,
  pollTimeout,
  pollTransmit,
  setParameters,
  startProcess,
  type Counter,
  type Host,
} from "../../host/index.ts";
import {
  Unavailable,
  type Ending,
  type HostSpec,
  type PendingCall,
  type ProcessSpec,
  type Signal,
  type World,
} from "../../lab/world.ts";
import { Cast } from "../../lab/cast.ts";
import { addressesOnWire, Wire } from "../../lab/wire.ts";
import { generator, NO_CHANCE } from "../../link/chance.ts";
import { Link } from "../../link/link.ts";
import { Recorder } from "../../trace/recorder.ts";
import { ModelCalls } from "./calls.ts";
import { look } from "./observer.ts";
import { fromWire, toBytes } from "./packets.ts";
import { hostSettings, PLAIN, type ModelSettings } from "./settings.ts";

/** A host of the world. */
export interface ModelHost {
  readonly name: string;
  readonly model: Host;
  /** The event that last made this host do something; undefined: time did, if it does. */
  touchedBy: number | undefined;
  /** What it has sent and the wire has not carried yet, with what made it send that. */
  readonly outgoing: { packet: Uint8Array; cause: number | undefined }[];
}

export interface ModelProcess {
  readonly name: string;
  readonly host: ModelHost;
  readonly mortal: boolean;
  ending?: Ending;
}

/** What things take, microseconds, about as on a real machine: at no cost at all, nothing would lie before anything else. */
const COST_US = { call: 20, packet: 25 };

/** A world that does not come to rest: so many packets without that any time need pass. */
const RESTLESS = 1_000_000;

export class ModelWorld implements World {
  readonly kind = "model";
  readonly system: string;
  readonly startedAtMs = undefined;
  readonly link = new Link();
  readonly recorder: Recorder;
  #nowUs = 0;
  readonly #hosts = new Cast<ModelHost>("host");
  readonly #processes = new Cast<ModelProcess>("process");
  readonly #calls: ModelCalls;
  readonly #wire: Wire;

  constructor(private readonly settings: ModelSettings = PLAIN) {
    this.system = settings.name;
    const { chance, seed } = settings;
    if (chance !== NO_CHANCE) this.link.chance = { of: chance, random: generator(seed) };
    this.recorder = new Recorder(() => this.#nowUs);
    this.#wire = new Wire(this.link, this.recorder, (name, packet, _, event) => {
      const host = this.#hosts.named(name);
      host.touchedBy = event;
      handlePacket(host.model, this.#nowUs, fromWire(packet));
      look(this.recorder, name, host.model, event);
      // It answers each segment before it sees the next.
      this.#send(host);
    });
    this.#calls = new ModelCalls(this.recorder, (host, call, cause) => {
      host.touchedBy = cause;
      look(this.recorder, host.name, host.model, cause, call.name === "bind");
    });
  }

  addHost({ name, addresses = 1, mtu = 1500 }: HostSpec): string[] {
    const all = addressesOnWire(this.#hosts.size + 1, addresses, { ipv6: true });
    const model = createHost(hostSettings(this.settings, all, mtu), this.settings.parameters);
    this.#hosts.enter({ name, model, touchedBy: undefined, outgoing: [] });
    for (const address of all) this.#wire.attach(address, name);
    this.recorder.hosts.push({ name, addresses: all });
    return all;
  }

  startProcess({ name, host: hostName, mortal = false }: ProcessSpec): void {
    const host = this.#hosts.named(hostName);
    startProcess(host.model, name);
    this.#adopt({ name, host, mortal }, "starts");
  }

  #adopt(process: ModelProcess, text: string): void {
    const { name, host } = process;
    this.#processes.enter(process);
    this.recorder.note("process", text, { host: host.name, process: name });
  }

  startProgram(): void {
    throw new Unavailable("the kernel: a program of yours can't run on a model");
  }

  endingOf(name: string): Ending | undefined {
    return this.#processes.named(name).ending;
  }

  /** As in the kernel world, what takes a process of its own takes one that is mortal. */
  #mustBeMortal({ name, mortal }: ModelProcess, what: string): void {
    if (!mortal) throw new TypeError(`${name} is not mortal: it can't ${what}`);
  }

  begin(name: string, call: Call): PendingCall {
    const process = this.#processes.named(name);
    if (call.name === "fork" || call.name === "setuid" || call.name === "exit") this.#mustBeMortal(process, call.name);
    this.#nowUs += COST_US.call;
    const pending = this.#calls.begin(process, call);
    if (call.name === "fork") this.#adopt({ ...process, name: call.child }, `is a child of ${name}`);
    if (call.name === "exit") process.ending = { status: call.status, signal: null };
    return pending;
  }

  #send({ model, outgoing, touchedBy: cause }: ModelHost): void {
    for (let packet; (packet = pollTransmit(model, this.#nowUs));) outgoing.push({ packet: toBytes(packet), cause });
  }

  /** Carries what the hosts send, until none has sent anything since all others were last heard. */
  #carry(): void {
    const hosts = [...this.#hosts.values()];
    let count = 0;
    for (let silent = 0, i = 0; silent < hosts.length; silent++, i++) {
      const host = hosts[i % hosts.length]!;
      for (this.#send(host); host.outgoing.length > 0; silent = 0) {
        if (++count > RESTLESS) throw new Error("the hosts keep each other busy without end");
        const { packet, cause } = host.outgoing.shift()!;
        this.#nowUs += COST_US.packet;
        this.#wire.carry(host.name, packet, cause);
        this.#send(host);
      }
    }
  }

  /** Has the hosts' timers go off whose time has come. True if there was any. */
  #goOff(): boolean {
    let any = false;
    for (const host of this.#hosts.values()) {
      if ((pollTimeout(host.model) ?? Infinity) > this.#nowUs) continue;
      any = true;
      handleTimeout(host.model, this.#nowUs);
      host.touchedBy = look(this.recorder, host.name, host.model, undefined);
    }
    return any;
  }

  settle(): void {
    for (let moved = true; moved;) {
      moved = this.#wire.moveDue();
      this.#carry();
      for (const host of this.#hosts.values()) if (this.#calls.resume(host)) moved = true;
      if (this.#goOff()) moved = true;
    }
  }

  advance(untilUs: number): void {
    let nextUs = Math.min(untilUs, this.link.nextDueUs ?? Infinity);
    for (const { model } of this.#hosts.values()) nextUs = Math.min(nextUs, pollTimeout(model) ?? Infinity);
    this.#nowUs = Math.max(this.#nowUs, nextUs);
    this.#goOff();
    for (const host of this.#hosts.values()) look(this.recorder, host.name, host.model, undefined);
    this.settle();
  }

  release(name: string, count?: number): void {
    this.#wire.release(name, count);
    this.settle();
  }

  signal(name: string, signal: Signal): void {
    const process = this.#processes.named(name);
    this.#mustBeMortal(process, `be sent ${signal}`);
    const { host } = process;
    const event = this.recorder.note("process", `is sent ${signal}`, { host: host.name, process: name });
    endProcess(host.model, this.#nowUs, name);
    process.ending = { status: null, signal };
    host.touchedBy = event;
    look(this.recorder, host.name, host.model, event);
    this.settle();
  }

  destroy(id: string): void {
    const socket = this.recorder.socket(id);
    if (!socket) throw new TypeError(`there is no socket ${id}`);
    const host = this.#hosts.named(socket.host);
    const key = this.recorder.keysOf(host.name).find(([, known]) => known.id === id)?.[0];
    const event = this.recorder.note("setting", `${id} is removed (SOCK_DESTROY)`, { host: host.name });
    destroySocket(host.model, this.#nowUs, key!);
    host.touchedBy = event;
    look(this.recorder, host.name, host.model, event);
    this.settle();
  }

  /** Throws {@link Unavailable} for a parameter that means nothing to the model. */
  set(name: string, parameter: string, value: string | number): void {
    if (!isParameter(parameter)) throw new Unavailable(`the kernel: the model has no ${parameter}`);
    setParameters(this.#hosts.named(name).model, { [parameter]: String(value) });
    this.recorder.note("setting", `${parameter} = ${value}`, { host: name });
  }

  counter(name: string, counter: string): number {
    if (!COUNTERS.includes(counter as Counter))
      throw new Unavailable(`the kernel: the model does not count ${counter}`);
    return this.#hosts.named(name).model.counters[counter as Counter];
  }

  /** There is nothing to leave behind. */
  close(): void {
    this.#hosts.clear();
    this.#processes.clear();
  }
}
