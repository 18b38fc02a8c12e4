/**
 * Ports looked at again and again until they are as wanted. Each look is cheap, and none connects or binds; but where only
 * options decide that nobody can read (a TIME-WAIT's SO_REUSEADDR), one bind is tried for the sockets in question.
 */
import {
  formatEndpoint,
  formatZoned,
  isUnspecified,
  isV4Mapped,
  parseIp,
  type Zone,
  type ZonedAddress,
} from "../codec/address.ts";
import type { InetDiagMessage } from "../codec/inet-diag.ts";
import { stateMask } from "../codec/state.ts";
import { toTcpSocket, type TcpSocket } from "../codec/tcp-socket.ts";
import type { Ask, Diagnosis } from "../diagnose/diagnose.ts";
import type { PortSocket, SharingOptions } from "../diagnose/facts.ts";
import { plural } from "../diagnose/words.ts";
import { addressTrouble } from "../linux/facts.ts";
import { NetlinkError } from "../linux/netlink-error.ts";
import { SockDiag } from "../linux/sock-diag.ts";
import { decodeRows } from "../linux/socket-table.ts";
import { readSockets } from "../linux/sockets.ts";
import { tryBindOnce } from "../linux/trial.ts";
import { look, type Look } from "./look.ts";

/** How a port stands at a look. */
export interface Standing {
  port: number;
  /** `hopeless`: what refuses it does not go away by waiting (a privileged port). */
  answer: "reached" | "waiting" | "hopeless";
  /** In one line; it holds names that others chose. */
  headline: string;
  /** What is in the way, for telling whether that has changed. */
  cause: string;
  /** When it is over by itself, milliseconds since 1970. */
  freeAtMs?: number;
}

export interface Watch {
  look(): Standing;
}

/** Refusals that no time changes: a privilege or a policy, and an address that no socket can have. */
const HOPELESS: ReadonlySet<string | undefined> = new Set(["EACCES", "EINVAL"]);
/** A full look finds holders among all processes: not more than this part of the time is spent with it. */
const FULL_LOOKS_TIMES_COST = 200;
const FULL_LOOK_EVERY_MS = 5000;

const keyOf = ({ cookie, local, peer }: PortSocket) =>
  cookie === 0n ? `${formatEndpoint(local.address, local.port)} ${formatEndpoint(peer.address, peer.port)}` : cookie;

/** Of these blockers the one that is cheapest to find again, and stays longest. */
function longest(blockers: readonly PortSocket[]): PortSocket | undefined {
  const rank = ({ state, inode, timer }: PortSocket) =>
    state === "LISTEN" ? Number.POSITIVE_INFINITY : inode !== 0 ? Number.MAX_VALUE : (timer?.leftMs ?? 0);
  return blockers.reduce<PortSocket | undefined>((a, b) => (a && rank(a) >= rank(b) ? a : b), undefined);
}

/** True while the socket is there, in the state it was in. */
function isStill(message: InetDiagMessage): boolean {
  const { state, source, sourcePort: port, cookie, family } = message;
  const isConnected = state !== 10 && state !== 13; // LISTEN, BOUND
  if (!isConnected) {
    const table = readSockets({ states: 1 << state, filter: { kind: "port", side: "local", port } });
    return decodeRows(table).some((row) => row.cookie === cookie && row.source.join() === source.join());
  }
  using diag = new SockDiag();
  return diag.lookup(family === 2 ? 2 : 10, message)?.state === state;
}

/** Until all of these binds, of one port, would be granted. */
export class BindWatch implements Watch {
  /** Options by socket: a TIME-WAIT keeps those of the connection that it was, and tells nobody. */
  #options = new Map<bigint | string, SharingOptions>();
  /** For each bind that was tried: sockets that may be those which refused it, and those beside which it was granted. */
  readonly #suspects = new Set<string>();
  readonly #cleared = new Set<string>();
  #anchor: InetDiagMessage | undefined;
  #standing: Standing | undefined;
  #nextFullMs = 0;

  constructor(
    private readonly asks: readonly Ask[],
    private readonly options: { probe: boolean },
  ) {}

  look(): Standing {
    const now = performance.now();
    // One socket that is known to be in the way is enough: only when it has gone the others matter.
    if (this.#standing && this.#anchor && now < this.#nextFullMs && this.#anchorStands(this.#anchor)) {
      return this.#standing;
    }
    this.#standing = this.#fullLook();
    const doneMs = performance.now();
    this.#nextFullMs = doneMs + Math.max(FULL_LOOK_EVERY_MS, FULL_LOOKS_TIMES_COST * (doneMs - now));
    return this.#standing;
  }

  #anchorStands(anchor: InetDiagMessage): boolean {
    try {
      return isStill(anchor);
    } catch (error) {
      if (error instanceof NetlinkError) return false; // the full look says it better
      throw error;
    }
  }

  #fullLook(): Standing {
    const seen = look(this.asks, {
      probe: false,
      recall: (socket) => this.#options.get(keyOf(socket)),
      rare: false,
    });
    this.#options = new Map(
      seen.facts.sockets.flatMap((socket) => (socket.options ? [[keyOf(socket), socket.options] as const] : [])),
    );
    this.#anchor = undefined;
    const { port, asks, headline, findings, freeAtMs } = seen.diagnosis;
    const refused = asks.filter(({ answer }) => answer.outcome === "refused");
    const open = asks.filter(({ answer }) => answer.outcome === "unknown");
    const cause = findings
      .filter(({ blocks }) => blocks)
      .map((finding) => [finding.cause, ...finding.sockets.flatMap(({ holders }) => holders.map(({ pid }) => pid))])
      .join(" ");
    const standing = { port, headline, cause, ...(freeAtMs !== undefined && { freeAtMs }) };
    if (refused.some(({ answer }) => HOPELESS.has(answer.errno))) return { ...standing, answer: "hopeless" };
    if (refused.length === 0 && open.every((ask) => this.#isGranted(ask))) {
      const doubt = seen.facts.denied === undefined ? "" : ", unless somebody has only bound it: netlink was refused";
      return { port, cause: "", headline: `Port ${port} is free${doubt}`, answer: "reached" };
    }
    const decided = refused.length > 0 ? refused : open;
    this.#anchor = this.#rowOf(seen, longest(decided.flatMap(({ answer }) => answer.blockers)));
    return { ...standing, answer: "waiting" };
  }

  /** Makes a bind about which the lists of sockets leave a doubt: once for each set of sockets that raise it. */
  #isGranted({ name, request, answer: { blockers } }: Diagnosis["asks"][number]): boolean {
    const keys = blockers.map((socket) => `${name}, ${keyOf(socket)}`);
    if (!this.options.probe || keys.some((key) => this.#suspects.has(key))) return false;
    if (keys.every((key) => this.#cleared.has(key))) return true;
    const isGranted = tryBindOnce(request)?.errno === null;
    for (const key of keys) (isGranted ? this.#cleared : this.#suspects).add(key);
    return isGranted;
  }

  #rowOf({ table }: Look, socket: PortSocket | undefined): InetDiagMessage | undefined {
    if (!socket || socket.cookie === 0n) return undefined;
    return decodeRows(table).find(({ cookie }) => cookie === socket.cookie);
  }
}

/** True if a connection to the address would be this listener's. */
function takes({ local, v6only, interfaceIndex }: TcpSocket, { address: wanted, zone }: ZonedAddress): boolean {
  if (zone && interfaceIndex !== 0 && interfaceIndex !== zone.index) return false;
  if (local.address === "*") return true;
  const plain = (bytes: Uint8Array) => (isV4Mapped(bytes) ? bytes.subarray(12) : bytes);
  const [own, to] = [plain(parseIp(local.address)!), plain(wanted)];
  if (own.join() === to.join()) return true;
  // /proc does not tell whether :: takes IPv4 too, which it does by default.
  return isUnspecified(own) && (own.length === to.length || (own.length === 16 && v6only !== true));
}

/**
 * Until somebody listens on the port, at this address if one is given, with room for a connection. Nobody connects: a
 * server would accept that connection, serve and log it.
 */
export class OpenWatch implements Watch {
  constructor(private readonly wanted: { port: number; address?: Uint8Array; zone?: Zone | undefined }) {}

  look(): Standing {
    const { port, address, zone } = this.wanted;
    const zoned = address && { address, zone };
    const table = readSockets({ states: stateMask("LISTEN"), filter: { kind: "port", side: "local", port } });
    const listeners = decodeRows(table)
      .map(toTcpSocket)
      .filter((socket) => !zoned || takes(socket, zoned));
    const where = zoned ? formatEndpoint(formatZoned(zoned), port) : `port ${port}`;
    if (listeners.length === 0) {
      const isElsewhere = zoned !== undefined && addressTrouble(zoned) === "absent";
      const why = isElsewhere ? ": it is not an address of this host, of which alone the sockets are looked at" : "";
      return { port, answer: "waiting", headline: `Nobody listens on ${where}${why}`, cause: "nobody" };
    }
    // sk_acceptq_is_full (include/net/sock.h); /proc lists no limit.
    const full = listeners.filter(
      ({ receiveQueue, sendQueue }) => table.source === "sock_diag" && receiveQueue > sendQueue,
    );
    if (full.length > 0) {
      const waiting = plural(full[0]!.receiveQueue, "connection");
      const headline = `Somebody listens on ${where}, and accepts nothing: ${waiting} in its queue, which is full`;
      return { port, answer: "waiting", headline, cause: "full" };
    }
    return { port, answer: "reached", headline: `Somebody listens on ${where}`, cause: "" };
  }
}
