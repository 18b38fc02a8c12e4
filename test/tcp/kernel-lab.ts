/** The endpoint at one end of the wire, the kernel's TCP at the other: a host behind a TUN device, and rules in between. */
import { parseIp } from "../../src/codec/address.ts";
import { setHopsLeft } from "../../src/codec/ip.ts";
import { INET_DIAG_NOCOOKIE } from "../../src/codec/inet-diag.ts";
import { decodePacket } from "../../src/codec/packet.ts";
import { stateName, type TcpState } from "../../src/codec/state.ts";
import type { TcpSegment } from "../../src/codec/tcp.ts";
import { Link, type LinkEvent } from "../../src/link/link.ts";
import { NetworkNamespace } from "../../src/linux/network-namespace.ts";
import {
  EAGAIN,
  Fd,
  poll,
  POLLIN,
  SOCK_NONBLOCK,
  tryAccept,
  tryConnect,
  tryRecv,
  trySend,
} from "../../src/sys/index.ts";
import * as tcp from "../../src/tcp/index.ts";
import { KernelHost } from "../../src/world/kernel/host.ts";
import { makePort } from "../../src/world/kernel/ports.ts";
import { ipv4Packet } from "../support/packets.ts";
import { enterNamespace, localOf, sockaddr, Sockets } from "../support/tcp.ts";

export const KERNEL = "10.9.0.1";
export const MODEL = "10.9.0.2";
const MODEL_PORT = 40_000;
const STEP_MS = 5;

const START = performance.now();
export const nowUs = () => Math.round((performance.now() - START) * 1000);

export class KernelLab {
  readonly link = new Link();
  readonly sockets = new Sockets();
  readonly host: KernelHost;
  /** What the kernel has sent, as it came out of its device. */
  readonly fromKernel: TcpSegment[] = [];
  connection: tcp.Connection | undefined;
  #id = 0;

  constructor() {
    enterNamespace();
    this.host = new KernelHost(
      "kernel",
      [KERNEL],
      1500,
      (namespace: NetworkNamespace) => makePort(undefined, namespace),
      {
        // No memory of earlier tests.
        "net.ipv4.tcp_no_metrics_save": "1",
        // Room for the TIME-WAITs of all cases, however small the machine.
        "net.ipv4.tcp_max_tw_buckets": "65536",
      },
    );
  }

  #settings(given: Partial<tcp.Settings>, remotePort: number, localPort = MODEL_PORT): tcp.Settings {
    return tcp.settingsOf({ profile: tcp.LINUX, localPort, remotePort, ...given });
  }

  /** A listening socket of the kernel, non-blocking, at a port of its own. */
  listener(): { fd: Fd; port: number } {
    const fd = this.host.namespace.run(() => this.sockets.listener(KERNEL, { flags: SOCK_NONBLOCK }));
    return { fd, port: localOf(fd).port };
  }

  accept(listener: Fd): Fd | undefined {
    const number = tryAccept(listener, SOCK_NONBLOCK);
    return number >= 0 ? this.sockets.keep(new Fd(number)) : undefined;
  }

  /** The model connects to the kernel's port. */
  connectModel(port: number, given: Partial<tcp.Settings> = {}, localPort?: number): tcp.Connection {
    const iss = Math.floor(nowUs() / 4) + 0xffff_0000;
    this.connection = tcp.connect(this.#settings(given, port, localPort), (iss >>> 0) as tcp.Connection["iss"]);
    return this.connection;
  }

  /** A kernel's socket connects to the model, which listens. */
  connectKernel(given: Partial<tcp.Settings> = {}): Fd {
    this.connection = tcp.listen(this.#settings(given, 0), 0xffff_ff00 as tcp.Connection["iss"]);
    const fd = this.host.namespace.run(() => this.sockets.create(KERNEL, { flags: SOCK_NONBLOCK }));
    tryConnect(fd, sockaddr(MODEL, MODEL_PORT));
    return fd;
  }

  toKernel(segment: TcpSegment): void {
    const bytes = ipv4Packet(MODEL, KERNEL, segment);
    this.#offer("model", bytes);
  }

  #offer(from: "model" | "kernel", bytes: Uint8Array): void {
    const packet = decodePacket(bytes);
    if (!packet.ok) return;
    if (from === "kernel") this.fromKernel.push(packet.value.tcp);
    const to = from === "model" ? "kernel" : "model";
    const segment = { id: ++this.#id, from, to, packet: packet.value, bytes, relativeSeq: 0 };
    this.#happen(this.link.offer(segment, nowUs()));
  }

  #happen(events: readonly LinkEvent[]): void {
    for (const event of events) {
      if (event.fate !== "delivered") continue;
      const { segment } = event;
      if (segment.to === "model") {
        if (this.connection) tcp.handleSegment(this.connection, nowUs(), segment.packet.tcp);
      } else {
        setHopsLeft(segment.bytes, event.hopsLeft);
        this.host.port.deliver(segment.bytes);
      }
    }
  }

  release(name: string): void {
    this.#happen(this.link.release(name));
  }

  /** All that is under way arrives, and is answered. */
  settle(): void {
    for (let moved = true; moved;) {
      moved = false;
      this.#happen(this.link.due(nowUs()));
      for (let packet; (packet = this.host.port.receive()); moved = true) this.#offer("kernel", packet);
      const { connection } = this;
      if (!connection) continue;
      for (let segment; (segment = tcp.pollTransmit(connection, nowUs())); moved = true) this.toKernel(segment);
    }
  }

  /** Goes on until `condition` gives something truthy. */
  until<T>(what: string, condition: () => T, deadlineMs = 20_000): NonNullable<T> {
    for (const deadline = performance.now() + deadlineMs; ;) {
      this.settle();
      const value = condition();
      if (value) return value as NonNullable<T>;
      if (performance.now() > deadline) throw new Error(`waited ${deadlineMs / 1000} s for ${what}`);
      poll([{ fd: this.host.port.fd, events: POLLIN }], STEP_MS);
      const { connection } = this;
      const due = connection && tcp.pollTimeout(connection);
      if (connection && due !== undefined && due <= nowUs()) tcp.handleTimeout(connection, nowUs());
    }
  }

  /** The state of the kernel's end, CLOSED if there is none. */
  kernelState(kernelPort: number, modelPort = MODEL_PORT): TcpState {
    const row = this.host.diag.lookup(2, {
      source: parseIp(KERNEL)!,
      sourcePort: kernelPort,
      destination: parseIp(MODEL)!,
      destinationPort: modelPort,
      interfaceIndex: 0,
      cookie: INET_DIAG_NOCOOKIE,
    });
    return row && row.destinationPort !== 0 ? (stateName(row.state) ?? "CLOSED") : "CLOSED";
  }

  close(): void {
    this.sockets.close();
    this.host.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Sends as much as the kernel takes. Returns how far it has come. */
export function feed(fd: Fd, bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length) {
    const count = trySend(fd, bytes.subarray(at, at + 65_536));
    if (count === -EAGAIN) break;
    if (count < 0) throw new Error(`send: ${count}`);
    at += count;
  }
  return at;
}

/** Reads what the kernel has; null at the end. */
export function drain(fd: Fd, into: Uint8Array[]): boolean {
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const count = tryRecv(fd, buffer);
    if (count === -EAGAIN) return false;
    if (count < 0) throw new Error(`recv: ${count}`);
    if (count === 0) return true;
    into.push(buffer.slice(0, count));
  }
}
