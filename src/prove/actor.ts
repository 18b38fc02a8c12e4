/** A modelled host with its programs as a search sees it: a value, and a function of what happens to it. */
import type { Call, Result } from "../call/call.ts";
import {
  copyHost,
  handlePacket,
  handleTimeout,
  makeCall,
  pollTimeout,
  pollTransmit,
  resumeCalls,
  startProcess,
  writeHost,
  writePacket,
  type Host,
  type HostPacket,
} from "../host/index.ts";
import { ByteWriter } from "../tcp/index.ts";
import { Interner } from "./interner.ts";
import { advance, afterAccept, BEGINNING, type Fault, type Position, type Program } from "./program.ts";
import type { Actor, Happening, Look } from "./side.ts";

/** A host at a moment. Never changed: what happens makes another. */
export interface Situation {
  readonly host: Host;
  readonly nowUs: number;
  readonly positions: readonly Position[];
  readonly wrong: string | undefined;
}

/** Who wants to see how a step goes, not only what comes of it. Keys of sockets are the host's. */
export interface Witness {
  called(process: string, call: Call, socket: string | undefined): void;
  returned(process: string, result: Result, socket: string | undefined): void;
  /** Something has happened to the host: its sockets may have changed. */
  changed(host: Host): void;
  sent(packet: HostPacket): void;
}

/** The packets of a search, numbered: of two that are the same, one. */
export class Packets {
  readonly #all = new Interner<HostPacket>();
  readonly #writer = new ByteWriter();

  number(packet: HostPacket): number {
    writePacket(this.#writer, packet);
    return this.#all.number(latin1(this.#writer.take()), () => packet);
  }

  packet(number: number): HostPacket {
    return this.#all.value(number);
  }
}

/** A character for each byte. Spread, the bytes would be iterated over; put together one by one, the text would be a rope. */
function latin1(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as Iterable<number> as number[]);
}

export class HostActor implements Actor<Situation> {
  readonly #writer = new ByteWriter();

  constructor(
    readonly programs: readonly Program[],
    readonly packets: Packets,
    readonly tickUs: number,
    /** What is looked for. */
    readonly faults: readonly Fault[],
    /** Which incarnation of the connection has begun with this number of the peer's. */
    readonly incarnationOf: (irs: number) => number | undefined,
  ) {}

  /** The host before its programs begin. It is the search's from now on. */
  begin(host: Host): Situation {
    for (const { name } of this.programs) startProcess(host, name);
    return { host, nowUs: 0, positions: this.programs.map(() => BEGINNING), wrong: undefined };
  }

  key({ host, nowUs, positions, wrong }: Situation): string {
    for (const { step, read } of positions) {
      this.#writer.integer(step);
      this.#writer.integer(read);
    }
    writeHost(this.#writer, host, nowUs);
    return `${JSON.stringify(host.settings.numbering)} ${wrong ?? ""} ${latin1(this.#writer.take())}`;
  }

  look({ host, nowUs, positions, wrong }: Situation): Look {
    const ended = positions.every(({ step }, i) => step === this.programs[i]!.steps.length);
    return {
      processes: wrong ? 0 : this.programs.length,
      due: isDue(host, nowUs),
      over: ended && [...host.sockets.values()].every(({ connection }) => connection === null),
      wrong,
    };
  }

  after(
    situation: Situation,
    happening: Happening,
    witness?: Witness,
  ): { host: Situation; sent: number[] } | undefined {
    const wasDue = isDue(situation.host, situation.nowUs);
    const nowUs = situation.nowUs + (happening.do === "tick" ? this.tickUs : 0);
    const host = copyHost(situation.host);
    const next = { host, nowUs, positions: [...situation.positions], wrong: situation.wrong };
    switch (happening.do) {
      case "call":
        if (!this.#call(next, happening.process, witness)) return undefined;
        break;
      case "receive":
        handlePacket(host, nowUs, this.packets.packet(happening.segment));
        witness?.changed(host);
        break;
      case "timeout":
        handleTimeout(host, nowUs);
        witness?.changed(host);
        break;
      case "tick":
        // Nothing but time goes by, and with it what it makes due.
        return { host: next, sent: [] };
    }
    const sent = this.#settle(next, witness);
    if (wasDue) return { host: next, sent };
    // What is due the moment it is set, as an ACK that nothing delays, is no event of its own.
    while (isDue(host, nowUs)) {
      handleTimeout(host, nowUs);
      witness?.changed(host);
      sent.push(...this.#settle(next, witness));
    }
    return { host: next, sent };
  }

  /** False if the process has no call to make now, or one that would block; it is made when it returns at once. */
  #call(next: Writable<Situation>, process: number, witness: Witness | undefined): boolean {
    const { name, steps } = this.programs[process]!;
    const { host, nowUs } = next;
    if (host.processes.get(name)!.blocked.length > 0) return false;
    for (let first = true; ; first = false) {
      const step = steps[next.positions[process]!.step];
      if (!step) return false;
      const { result, socket } = makeCall(host, nowUs, name, step.call);
      if (first && result === null && step.call.name !== "connect") return false;
      witness?.called(name, step.call, socket);
      const goesOn = result !== null && this.#advance(next, process, result, socket, witness) && step.goesOn;
      witness?.changed(host);
      if (!goesOn) return true;
    }
  }

  /** False if the program does not go on to its next step. */
  #advance(
    next: Writable<Situation>,
    process: number,
    result: Result,
    socket: string | undefined,
    witness: Witness | undefined,
  ): boolean {
    const program = this.programs[process]!;
    const position = next.positions[process]!;
    witness?.returned(program.name, result, socket);
    const advanced = advance(program, position, result, this.faults);
    if ("wrong" in advanced) {
      next.wrong ??= advanced.wrong.because;
      return false;
    }
    next.positions[process] = this.#skipped(next.host, program, position, socket) ?? advanced.position;
    return advanced.position.step !== position.step;
  }

  /** Where to go on after an accept that has brought a later incarnation than the one it was for. */
  #skipped(host: Host, program: Program, { step }: Position, socket: string | undefined): Position | undefined {
    const { accepts } = program.steps[step]!;
    const connection = accepts === undefined ? undefined : host.sockets.get(socket!)?.connection;
    const incarnation = connection ? this.incarnationOf(connection.irs) : undefined;
    return incarnation !== undefined && incarnation > accepts! ? afterAccept(program, incarnation) : undefined;
  }

  /** Blocked calls return, and what is to be sent is. */
  #settle(next: Writable<Situation>, witness: Witness | undefined): number[] {
    const { host, nowUs } = next;
    const sent: number[] = [];
    for (;;) {
      const returned = resumeCalls(host, nowUs);
      for (const { process, result, socket } of returned) {
        const i = this.programs.findIndex(({ name }) => name === process);
        this.#advance(next, i, result, socket, witness);
        witness?.changed(host);
      }
      let packet: HostPacket | undefined;
      let sends = false;
      while ((packet = pollTransmit(host, nowUs)) !== undefined) {
        sends = true;
        witness?.sent(packet);
        sent.push(this.packets.number(packet));
      }
      if (returned.length === 0 && !sends) return sent;
    }
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

function isDue(host: Host, nowUs: number): boolean {
  return (pollTimeout(host) ?? Infinity) <= nowUs;
}
