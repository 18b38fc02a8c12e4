/** Two modelled hosts on a wire that loses nothing, and the clock that they share. */
import type { Call, Result } from "../../src/call/call.ts";
import {
  createHost,
  endProcess,
  handlePacket,
  handleTimeout,
  makeCall,
  pollTimeout,
  pollTransmit,
  resumeCalls,
  seeSockets,
  startProcess,
  type Host,
  type HostPacket,
  type HostSettings,
  type SocketView,
} from "../../src/host/index.ts";

export const CLIENT = "10.9.0.1";
export const SERVER = "10.9.0.2";
export const PORT = 8000;

function hostAt(address: string, settings: Partial<HostSettings>): Host {
  return createHost({ addresses: [{ address, onLink: 24, device: "wire" }], ...settings });
}

export class HostPair {
  nowUs = 0;
  client: Host;
  server: Host;
  /** Every packet that was sent. */
  readonly sent: HostPacket[] = [];
  /** What becomes of a packet: true drops it. */
  drops: (packet: HostPacket) => boolean = () => false;
  /** The calls that have returned after they had blocked. */
  readonly returned = new Map<string, Result>();

  constructor(settings: Partial<HostSettings> = {}) {
    this.client = hostAt(CLIENT, settings);
    this.server = hostAt(SERVER, settings);
    startProcess(this.client, "client");
    startProcess(this.server, "server");
  }

  #hostOf(process: string): Host {
    return this.server.processes.has(process) ? this.server : this.client;
  }

  /** Makes a call, and moves packets until all is still. Its result; undefined while it blocks. */
  call(process: string, call: Call): Result | undefined {
    const host = this.#hostOf(process);
    const made = makeCall(host, this.nowUs, process, call);
    if (made.result === null) this.returned.delete(process);
    this.settle();
    return made.result ?? this.returned.get(process);
  }

  /** Makes a call that must succeed. */
  must(process: string, call: Call): number {
    const result = this.call(process, call);
    if (!result?.ok) throw new Error(`${call.name} of ${process}: ${result ? result.code : "blocks"}`);
    return result.value;
  }

  end(process: string): void {
    endProcess(this.#hostOf(process), this.nowUs, process);
    this.settle();
  }

  settle(): void {
    for (let moved = true; moved;) {
      moved = false;
      for (const host of [this.client, this.server]) {
        for (let packet; (packet = pollTransmit(host, this.nowUs));) {
          moved = true;
          this.sent.push(packet);
          const to = packet.destination === SERVER ? this.server : this.client;
          if (!this.drops(packet)) handlePacket(to, this.nowUs, packet);
        }
        for (const { process, result } of resumeCalls(host, this.nowUs)) {
          this.returned.set(process, result);
          moved = true;
        }
      }
    }
  }

  /** Lets so much time pass. */
  pass(us: number): void {
    const end = this.nowUs + us;
    for (;;) {
      const due = Math.min(pollTimeout(this.client) ?? Infinity, pollTimeout(this.server) ?? Infinity);
      if (due > end) break;
      this.nowUs = Math.max(this.nowUs, due);
      handleTimeout(this.client, this.nowUs);
      handleTimeout(this.server, this.nowUs);
      this.settle();
    }
    this.nowUs = end;
  }

  /** A server that listens at {@link PORT}: its descriptor. */
  listen(process = "server", backlog = 16): number {
    const fd = this.must(process, { name: "socket", family: "IPv4" });
    this.must(process, { name: "bind", fd, address: "0.0.0.0", port: PORT });
    this.must(process, { name: "listen", fd, backlog });
    return fd;
  }

  connect(process = "client"): number {
    const fd = this.must(process, { name: "socket", family: "IPv4" });
    this.must(process, { name: "connect", fd, address: SERVER, port: PORT });
    return fd;
  }

  /** Both ends of a connection, by their descriptors. */
  connected(): { here: number; there: number; listener: number } {
    const listener = this.listen();
    const here = this.connect();
    return { here, there: this.must("server", { name: "accept", fd: listener }), listener };
  }

  states(host: Host): string[] {
    return [...seeSockets(host)].map(({ state }) => state);
  }

  /** The socket in this state, of which there must be one. */
  socketIn(host: Host, state: SocketView["state"]): SocketView {
    const found = [...seeSockets(host)].filter((socket) => socket.state === state);
    if (found.length !== 1) throw new Error(`${found.length} sockets in ${state}: ${this.states(host).join(", ")}`);
    return found[0]!;
  }
}
