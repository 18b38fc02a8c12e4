/**
 * What becomes of a host's sockets, from the kernel's own mouth: each is identified by its cookie, and looked at after
 * every call and every packet that may have changed it.
 */
import { formatIp, isV4Mapped, parseIp } from "../../codec/address.ts";
import { INET_DIAG_NOCOOKIE, TIMERS, type InetDiagMessage } from "../../codec/inet-diag.ts";
import type { Packet } from "../../codec/packet.ts";
import { ALL_STATES_MASK, listedStateName, stateMask } from "../../codec/state.ts";
import type { Endpoint } from "../../call/call.ts";
import { decodeRows } from "../../linux/socket-table.ts";
import type { KnownSocket, Recorder, SocketSight } from "../../trace/recorder.ts";
import type { KernelHost } from "./host.ts";

const AF_INET = 2;
const AF_INET6 = 10;
const BOUND = stateMask("BOUND");

/** An address as bytes; an IPv4 address in an IPv6 socket counts as what it stands for. */
function plainAddress(bytes: Uint8Array): Uint8Array {
  return isV4Mapped(bytes) ? bytes.subarray(12) : bytes;
}

function endOf(address: Uint8Array, port: number): Endpoint {
  return { address: formatIp(plainAddress(address)), port };
}

function sightOf(
  message: InetDiagMessage,
  local = endOf(message.source, message.sourcePort),
  peer = endOf(message.destination, message.destinationPort),
): SocketSight | undefined {
  const state = listedStateName(message.state);
  if (!state) return undefined;
  const kind = TIMERS[message.timer];
  const sight: SocketSight = {
    key: String(message.cookie),
    state,
    local,
    peer,
    retransmits: message.retransmits,
    queues: { receive: message.receiveQueue, send: message.sendQueue },
    owned: message.inode !== 0,
  };
  if (kind && kind !== "none") sight.timer = { kind, leftMs: message.expiresMs };
  return sight;
}

function sameEnds(socket: KnownSocket, local: Endpoint, peer: Endpoint): boolean {
  return (
    socket.local.port === local.port &&
    socket.peer.port === peer.port &&
    socket.local.address === local.address &&
    socket.peer.address === peer.address
  );
}

export class Observer {
  constructor(private readonly recorder: Recorder) {}

  /** Looks at the socket between these two ends, which a packet or a call may have changed. */
  lookBetween(host: KernelHost, local: Endpoint, peer: Endpoint, cause?: number): void {
    this.#look(host, parseIp(local.address)!, local, parseIp(peer.address)!, peer, cause);
  }

  /** Looks at the socket that a delivered packet was for. */
  lookAfter(host: KernelHost, { ip, tcp }: Packet, cause: number): void {
    const local = { address: formatIp(ip.destination), port: tcp.destinationPort };
    const peer = { address: formatIp(ip.source), port: tcp.sourcePort };
    this.#look(host, ip.destination, local, ip.source, peer, cause);
  }

  #look(
    host: KernelHost,
    source: Uint8Array,
    local: Endpoint,
    destination: Uint8Array,
    peer: Endpoint,
    cause: number | undefined,
  ): void {
    const message = host.diag.lookup(source.length === 4 ? AF_INET : AF_INET6, {
      source,
      sourcePort: local.port,
      destination,
      destinationPort: peer.port,
      interfaceIndex: 0,
      cookie: INET_DIAG_NOCOOKIE,
    });
    // Where no connection is left between them, a listener answers.
    const sight = message && message.destinationPort !== 0 ? sightOf(message, local, peer) : undefined;
    for (const [key, socket] of this.recorder.keysOf(host.name)) {
      if (key !== sight?.key && sameEnds(socket, local, peer)) this.recorder.lost(host.name, key, cause);
    }
    if (sight) this.recorder.saw(host.name, sight, cause);
  }

  /**
   * Looks at all sockets of a host. `bound`: also at those that have a port and nothing else, which is slow. Returns the
   * event of a timer that went off, if one did.
   */
  lookAtAll(host: KernelHost, cause?: number, bound = false): number | undefined {
    const known = this.recorder.keysOf(host.name);
    const withBound = bound || known.some(([, { state }]) => state === "BOUND");
    const seen = new Set<string>();
    let wentOff: number | undefined;
    const states = withBound ? ALL_STATES_MASK : ALL_STATES_MASK & ~BOUND;
    const rows = decodeRows(host.diag.dump({ family: "both", states, extensions: [], bytecode: undefined }));
    const sights = [...rows].map((message) => sightOf(message)).filter((sight) => sight !== undefined);
    // A socket whose connection rests in TIME-WAIT may be bound again, under the same cookie.
    const connected = new Set(sights.filter(({ state }) => state !== "BOUND").map(({ key }) => key));
    for (const sight of sights) {
      if (sight.state === "BOUND" && connected.has(sight.key)) continue;
      seen.add(sight.key);
      wentOff = this.recorder.saw(host.name, sight, cause) ?? wentOff;
    }
    for (const [key, { local, peer }] of known) {
      if (seen.has(key)) continue;
      // A listing can miss a socket that becomes another while it is walked: one with two ends is asked for by them.
      if (peer.port === 0) this.recorder.lost(host.name, key, cause);
      else this.lookBetween(host, local, peer, cause);
    }
    return wentOff;
  }
}
