/**
 * A glance at a port whose bind was just refused: who has it, as far as that is found within a few milliseconds. Who wants
 * all of it looks (look.ts). Little is imported here: an error waits for it, and for the reading of it.
 */
import { overlaps, type Bound } from "../bind/address.ts";
import { formatIp } from "../codec/address.ts";
import { decodeInetDiagMessage } from "../codec/inet-diag.ts";
import { ALL_STATES_MASK, stateMask } from "../codec/state.ts";
import { toTcpSocket, type TcpSocket } from "../codec/tcp-socket.ts";
import type { BindRequest } from "../diagnose/facts.ts";
import { findAnyHolder, type GoesOn } from "../linux/holders.ts";
import { programName } from "../linux/process.ts";
import { eachRow } from "../linux/socket-table.ts";
import { readSockets } from "../linux/sockets.ts";

/** Of a port's connections the first so many are looked at. */
const MOST_SOCKETS = 64;

export interface Seen {
  socket: TcpSocket;
  /** Absent where nobody has it, where that may not be seen, and where it was not found in time. */
  holder?: { pid: number; program: string };
}

function firstSockets(port: number, states: number): TcpSocket[] {
  const sockets: TcpSocket[] = [];
  eachRow(readSockets({ states, filter: { kind: "port", side: "local", port } }), (bytes, at, end) => {
    const message = sockets.length < MOST_SOCKETS && decodeInetDiagMessage(bytes.subarray(at, end));
    if (message && message.ok) sockets.push(toTcpSocket(message.value));
  });
  return sockets;
}

function boundOf({ protocol, local, v6only }: TcpSocket): Bound {
  const address = local.address === "*" ? "::" : local.address;
  return { family: protocol === "tcp4" ? "IPv4" : "IPv6", address, ipv6Only: v6only };
}

/** The listeners in the way; where there is none, all that is: that takes the kernel longer, if it has many sockets. */
function inTheWay({ port, address, zone, ipv6Only }: BindRequest): TcpSocket[] {
  const asked: Bound = { family: address.length === 4 ? "IPv4" : "IPv6", address: formatIp(address), ipv6Only };
  const isIn = (socket: TcpSocket) =>
    (!zone || !socket.interfaceIndex || socket.interfaceIndex === zone.index) && overlaps(boundOf(socket), asked);
  const listeners = firstSockets(port, stateMask("LISTEN")).filter(isIn);
  return listeners.length > 0 ? listeners : firstSockets(port, ALL_STATES_MASK).filter(isIn);
}

const defined = <T>(values: readonly (T | null | undefined)[]) => new Set(values.filter((value) => value != null));

/**
 * A socket in the way of this bind, if possible with a process that has it; undefined if there is none. Nothing is bound,
 * and nobody's descriptors are borrowed. When `mayGoOn` says no, what is known by then will do.
 *
 * Throws `SyscallError` or `NetlinkError` if the kernel refuses to list its sockets.
 */
export function glance(request: BindRequest, mayGoOn: GoesOn): Seen | undefined {
  const sockets = inTheWay(request);
  const held = sockets.filter(({ inode }) => inode !== 0);
  const hints = { cgroupIds: defined(held.map((one) => one.cgroupId)), uids: defined(held.map(({ uid }) => uid)) };
  const { holders } = findAnyHolder(defined(held.map(({ inode }) => inode)), hints, mayGoOn);
  const found = held.find(({ inode }) => holders.has(inode));
  const pid = found && holders.get(found.inode)![0]!.pid;
  const program = pid !== undefined && programName(pid);
  if (found && program) return { socket: found, holder: { pid: pid!, program } };
  const [first] = [...held, ...sockets];
  return first && { socket: first };
}
