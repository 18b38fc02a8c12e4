/**
 * The same stimulus to a socket of the running kernel and to the model's `linux` profile, in every state: what each answers
 * at once, and what state it is in then.
 */
import { seq, seqAdd, seqDiff, type Seq } from "../../src/codec/seq.ts";
import { ACK, FIN, flagNames, PSH, RST, SYN, type TcpSegment } from "../../src/codec/tcp.ts";
import { INET_DIAG_NOCOOKIE } from "../../src/codec/inet-diag.ts";
import { parseIp } from "../../src/codec/address.ts";
import { NetlinkError } from "../../src/linux/netlink-error.ts";
import {
  encodeLinger,
  Fd,
  setsockopt,
  SHUT_WR,
  shutdown,
  SO_LINGER,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  tryAccept,
  tryConnect,
  trySend,
} from "../../src/sys/index.ts";
import * as tcp from "../../src/tcp/index.ts";
import { sockaddr } from "../support/tcp.ts";
import { KERNEL, KernelLab, MODEL } from "./kernel-lab.ts";
import { pattern } from "./socket.ts";
import { STATES, stimuli, WINDOW, type Difference, type Situation, type Stimulus } from "./stimuli.ts";

const REMOTE_ISS = seq(0xffff_ff00);
const CLOSED_PORT = 9;
const TS_RECENT = 1000;
const MS = 1000;

export interface Report {
  /** How many cases there were, and which of them differed, in the order of {@link STATES}. */
  rows: { situation: Situation; cases: number; differences: Difference[] }[];
}

/** Every stimulus in every state. */
export function compareAll(situations: readonly Situation[] = STATES): Report {
  const differential = new Differential();
  try {
    const rows = situations.map((situation) => {
      const all = stimuli(situation);
      const differences = all.flatMap((stimulus) => differential.compare(situation, stimulus) ?? []);
      return { situation, cases: all.length, differences };
    });
    return { rows };
  } finally {
    differential.close();
  }
}

/** A kernel's socket and its twin in the model. */
interface Twins {
  kernelPort: number;
  port: number;
  fd: Fd | undefined;
  model: tcp.Connection;
  /** What a segment to the kernel echoes of its timestamps; undefined: there are none. */
  echo?: number;
}

export class Differential {
  readonly lab = new KernelLab();
  readonly #listener = this.lab.listener();
  #port = 1024;
  #rfc1337 = false;
  #nowUs = 1_000_000_000;

  close(): void {
    this.lab.close();
  }

  #fromKernel(twins: Pick<Twins, "kernelPort" | "port">): TcpSegment[] {
    this.lab.fromKernel.length = 0;
    this.lab.settle();
    return this.lab.fromKernel.filter(
      ({ sourcePort, destinationPort }) => sourcePort === twins.kernelPort && destinationPort === twins.port,
    );
  }

  #segment(
    twins: Pick<Twins, "kernelPort" | "port" | "echo">,
    flags: number,
    at: Seq,
    ack: Seq,
    length = 0,
    stamp: number | null = 0,
  ): TcpSegment {
    const options: TcpSegment["options"] = flags & SYN ? [{ kind: "mss", value: 1460 }] : [];
    if (twins.echo !== undefined && stamp !== null) {
      options.push({ kind: "timestamps", value: TS_RECENT + stamp, echo: twins.echo });
    }
    return {
      sourcePort: twins.port,
      destinationPort: twins.kernelPort,
      seq: at,
      ack: flags & ACK ? ack : seq(0),
      flags,
      window: WINDOW,
      urgent: 0,
      options,
      payload: pattern(0, length),
    };
  }

  /** To both. Returns what each says at once. */
  #both(twins: Twins, segment: TcpSegment): { kernel: TcpSegment[]; model: TcpSegment[] } {
    this.lab.toKernel(segment);
    const kernel = this.#fromKernel(twins);
    const floor = tcp.reopensWith(twins.model, this.#nowUs, segment);
    if (floor !== undefined) twins.model = tcp.listen(twins.model.settings, floor);
    tcp.handleSegment(twins.model, this.#nowUs, segment);
    return { kernel, model: this.#drain(twins.model) };
  }

  #drain(model: tcp.Connection): TcpSegment[] {
    const segments: TcpSegment[] = [];
    for (let segment; (segment = tcp.pollTransmit(model, this.#nowUs));) segments.push(segment);
    return segments;
  }

  #settings(situation: Situation, twins: Pick<Twins, "kernelPort" | "port">, window: number): tcp.Settings {
    return tcp.settingsOf({
      profile: tcp.LINUX,
      timestamps: situation.endsWith("timestamps"),
      rfc1337: situation === "TIME-WAIT, tcp_rfc1337",
      localPort: twins.kernelPort,
      remotePort: twins.port,
      receiveBuffer: window,
    });
  }

  #make(situation: Situation): Twins {
    const port = this.#port++;
    const ends = { kernelPort: situation === "CLOSED" ? CLOSED_PORT : this.#listener.port, port };
    if (situation === "CLOSED" || situation === "LISTEN") {
      const model = tcp.listen(this.#settings(situation, ends, 64_240), seq(0));
      if (situation === "CLOSED") tcp.abort(model, this.#nowUs);
      return { ...ends, fd: undefined, model };
    }
    return situation === "SYN-SENT" ? this.#connect(port) : this.#accept(ends, situation);
  }

  #connect(port: number): Twins {
    const fd = this.lab.host.namespace.run(() => this.lab.sockets.create(KERNEL, { flags: SOCK_NONBLOCK }));
    tryConnect(fd, sockaddr(MODEL, port));
    this.lab.fromKernel.length = 0;
    this.lab.settle();
    const syn = this.lab.fromKernel.find(({ destinationPort }) => destinationPort === port)!;
    const ends = { kernelPort: syn.sourcePort, port };
    const model = tcp.connect(this.#settings("SYN-SENT", ends, syn.window), syn.seq);
    this.#drain(model);
    return { ...ends, fd, model };
  }

  /** As in the fixtures: three segments, and what the state takes. */
  #accept(ends: { kernelPort: number; port: number }, situation: Situation): Twins {
    const stamped = situation.endsWith("timestamps");
    const syn = this.#segment({ ...ends, ...(stamped && { echo: 0 }) }, SYN, REMOTE_ISS, seq(0));
    this.lab.toKernel(syn);
    const [answer] = this.#fromKernel(ends);
    if (!answer) throw new Error("the kernel has not answered a SYN");
    const model = tcp.listen(this.#settings(situation, ends, answer.window), answer.seq);
    tcp.handleSegment(model, this.#nowUs, syn);
    this.#drain(model);
    const twins: Twins = { ...ends, fd: undefined, model };
    const stamp = answer.options.find((option) => option.kind === "timestamps");
    if (stamp) twins.echo = stamp.value;
    if (situation.startsWith("SYN-RECEIVED")) return twins;
    const next = seqAdd(REMOTE_ISS, 1);
    const una = seqAdd(answer.seq, 1);
    const arrive = (flags: number, ack: number, length = 0, ahead = 0) =>
      this.#both(twins, this.#segment(twins, flags, seqAdd(next, ahead), seqAdd(una, ack), length));
    arrive(ACK, 0);
    twins.fd = new Fd(tryAccept(this.#listener.fd, SOCK_NONBLOCK));
    if (situation === "ESTABLISHED, data unread") arrive(PSH | ACK, 0, 20);
    if (situation === "ESTABLISHED, data ahead") arrive(PSH | ACK, 0, 20, 50);
    if (situation === "ESTABLISHED, data unacknowledged") this.#send(twins, 20);
    if (situation.startsWith("ESTABLISHED")) return twins;
    if (situation === "CLOSE-WAIT" || situation.startsWith("LAST-ACK")) {
      arrive(FIN | ACK, 0);
      if (situation === "CLOSE-WAIT") this.#awaitAck(twins);
      else this.#shutdown(twins, false);
      return twins;
    }
    this.#shutdown(twins, situation.includes("orphan"));
    if (situation === "CLOSING") arrive(FIN | ACK, 0);
    if (situation.startsWith("FIN-WAIT-2") || situation.startsWith("TIME-WAIT")) arrive(ACK, 1);
    if (situation.startsWith("TIME-WAIT")) arrive(FIN | ACK, 1);
    return twins;
  }

  #send(twins: Twins, length: number): void {
    const bytes = pattern(0, length);
    trySend(twins.fd!, bytes);
    tcp.send(twins.model, bytes);
    this.#fromKernel(twins);
    this.#drain(twins.model);
  }

  #shutdown(twins: Twins, orphan: boolean): void {
    if (orphan) {
      twins.fd!.close();
      twins.fd = undefined;
      tcp.close(twins.model, this.#nowUs);
    } else {
      shutdown(twins.fd!, SHUT_WR);
      tcp.shutdown(twins.model);
    }
    this.#fromKernel(twins);
    this.#drain(twins.model);
  }

  /** The ACK of a FIN is delayed: it shall not be taken for an answer. */
  #awaitAck(twins: Twins): void {
    this.lab.until("the ACK of a FIN", () =>
      this.lab.fromKernel.some(({ destinationPort }) => destinationPort === twins.port),
    );
    const due = tcp.pollTimeout(twins.model);
    if (due === undefined) return;
    this.#nowUs = due;
    tcp.handleTimeout(twins.model, due);
    this.#drain(twins.model);
  }

  /**
   * One case, in a connection of its own. Undefined: both did the same. What is different is tried again: a timer of the
   * kernel's may have gone off just then.
   */
  compare(situation: Situation, stimulus: Stimulus): Difference | undefined {
    return this.#once(situation, stimulus) && this.#once(situation, stimulus);
  }

  #once(situation: Situation, stimulus: Stimulus): Difference | undefined {
    const rfc1337 = situation === "TIME-WAIT, tcp_rfc1337";
    if (rfc1337 !== this.#rfc1337) this.lab.host.set("net.ipv4.tcp_rfc1337", rfc1337 ? 1 : 0);
    this.#rfc1337 = rfc1337;
    const twins = this.#make(situation);
    this.#nowUs += 1000 * MS;
    const { model } = twins;
    const next =
      situation === "SYN-SENT" || situation === "LISTEN" || situation === "CLOSED" ? REMOTE_ISS : model.rcvNxt;
    const edge = next === model.rcvNxt ? model.rcvEdge : seqAdd(next, model.settings.receiveBuffer);
    const at = seqAdd(stimulus.seq.from === "next" ? next : edge, stimulus.seq.by);
    const ack = seqAdd(stimulus.ack.from === "una" ? model.sndUna : model.sndNxt, stimulus.ack.by);
    const said = this.#both(
      twins,
      this.#segment(twins, stimulus.flags, at, ack, stimulus.length, stimulus.stamp ?? null),
    );
    const words = (segments: readonly TcpSegment[]) =>
      segments.map((segment) => this.#describe(situation, segment, model.iss, next));
    const kernel = { answers: words(said.kernel), state: this.lab.kernelState(twins.kernelPort, twins.port) };
    const state = twins.model.state === "LISTEN" ? "CLOSED" : twins.model.state;
    const ours = { answers: words(said.model), state };
    this.#end(twins, kernel.state);
    const same = kernel.state === ours.state && kernel.answers.join("; ") === ours.answers.join("; ");
    return same ? undefined : { situation, stimulus, kernel, model: ours };
  }

  #describe(situation: Situation, { flags, seq: at, ack, payload }: TcpSegment, iss: Seq, next: Seq): string {
    // A listener's ISN is its own; and that of a RST to what acknowledges nothing is 0.
    const isOwn = situation === "LISTEN" || (flags === (RST | ACK) && at === 0);
    const number = isOwn ? (flags & RST ? String(at >>> 0) : "ISN") : String(seqDiff(at, iss));
    const acknowledged = flags & ACK ? ` ack ${seqDiff(ack, next)}` : "";
    return `${flagNames(flags).join(",")} ${number}${acknowledged}${payload.length ? ` (${payload.length})` : ""}`;
  }

  #end({ kernelPort, port, fd }: Twins, state: string): void {
    if (fd) {
      setsockopt(fd, SOL_SOCKET, SO_LINGER, encodeLinger(0));
      fd.close();
    } else if (state !== "CLOSED" && state !== "TIME-WAIT") {
      try {
        this.lab.host.diag.destroy(2, {
          source: parseIp(KERNEL)!,
          sourcePort: kernelPort,
          destination: parseIp(MODEL)!,
          destinationPort: port,
          interfaceIndex: 0,
          cookie: INET_DIAG_NOCOOKIE,
        });
      } catch (error) {
        if (!(error instanceof NetlinkError)) throw error;
      }
    }
    // A connection that was completed, and that nobody has accepted.
    const left = tryAccept(this.#listener.fd, SOCK_NONBLOCK);
    if (left >= 0) {
      using accepted = new Fd(left);
      setsockopt(accepted, SOL_SOCKET, SO_LINGER, encodeLinger(0));
    }
    this.#fromKernel({ kernelPort, port });
  }
}
