/**
 * Conditions on sockets, in two forms that mean the same: a bytecode that the kernel runs while it walks its tables
 * (struct inet_diag_bc_op, net/ipv4/inet_diag.c), and a predicate for answers that the kernel did not filter.
 */
import { isV4Mapped, matchesPrefix } from "./address.ts";
import type { InetDiagMessage } from "./inet-diag.ts";

export type Side = "local" | "peer";

export type Filter =
  | { kind: "port"; side: Side; port: number }
  | { kind: "address"; side: Side; address: Uint8Array; prefix: number }
  /** Bound to the device of this index, which is not 0. */
  | { kind: "device"; index: number }
  | { kind: "all" | "any"; of: readonly Filter[] };

const INET_DIAG_BC_JMP = 1;
const INET_DIAG_BC_S_GE = 2;
const INET_DIAG_BC_S_LE = 3;
const INET_DIAG_BC_D_GE = 4;
const INET_DIAG_BC_D_LE = 5;
const INET_DIAG_BC_S_COND = 7;
const INET_DIAG_BC_D_COND = 8;
const INET_DIAG_BC_DEV_COND = 9;

const OP_LENGTH = 4; // struct inet_diag_bc_op: code (1), yes (1), no (2)
const HOSTCOND_LENGTH = 8; // struct inet_diag_hostcond: family, prefix_len, pad, port (-1: any), then the address

/** A condition refuses by jumping this far past the end of the program; falling off the end accepts. */
const REFUSE = 4;

function op(code: number, yes: number, no: number): Uint8Array {
  const bytes = new Uint8Array(OP_LENGTH);
  bytes[0] = code;
  bytes[1] = yes;
  new DataView(bytes.buffer).setUint16(2, no, true);
  return bytes;
}

function concat(...parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** `port >= N and port <= N`: S_EQ exists only since Linux 5.18. Each takes a second op whose `no` is the port. */
function portCode(side: Side, port: number): Uint8Array {
  const [ge, le] = side === "local" ? [INET_DIAG_BC_S_GE, INET_DIAG_BC_S_LE] : [INET_DIAG_BC_D_GE, INET_DIAG_BC_D_LE];
  const operand = op(0, 0, port);
  return and(concat(op(ge, 8, 8 + REFUSE), operand), concat(op(le, 8, 8 + REFUSE), operand));
}

function addressCode(side: Side, address: Uint8Array, prefix: number): Uint8Array {
  const condition = new Uint8Array(HOSTCOND_LENGTH + address.length);
  condition[0] = address.length === 4 ? 2 : 10;
  condition[1] = prefix;
  new DataView(condition.buffer).setInt32(4, -1, true);
  condition.set(address, HOSTCOND_LENGTH);
  const length = OP_LENGTH + condition.length;
  return concat(op(side === "local" ? INET_DIAG_BC_S_COND : INET_DIAG_BC_D_COND, length, length + REFUSE), condition);
}

/** The index has the room of a second op. */
function deviceCode(index: number): Uint8Array {
  const code = concat(op(INET_DIAG_BC_DEV_COND, 2 * OP_LENGTH, 2 * OP_LENGTH + REFUSE), new Uint8Array(OP_LENGTH));
  new DataView(code.buffer).setUint32(OP_LENGTH, index, true);
  return code;
}

function and(a: Uint8Array, b: Uint8Array): Uint8Array {
  const code = concat(a, b);
  const view = new DataView(code.buffer);
  // A refusal of `a` must now leave the whole program, not enter `b`.
  for (let at = 0; at < a.length; at += code[at + 1]!) {
    const no = view.getUint16(at + 2, true);
    if (at + no === a.length + REFUSE) view.setUint16(at + 2, no + b.length, true);
  }
  return code;
}

function or(a: Uint8Array, b: Uint8Array): Uint8Array {
  // A refusal of `a` lands behind the jump, where `b` begins; the jump leaves after an acceptance of `a`.
  return concat(a, op(INET_DIAG_BC_JMP, OP_LENGTH, OP_LENGTH + b.length), b);
}

/** The filter as bytecode; undefined where there is nothing to filter (an `all` of nothing). */
export function encodeFilter(filter: Filter): Uint8Array | undefined {
  switch (filter.kind) {
    case "port":
      return portCode(filter.side, filter.port);
    case "address":
      return addressCode(filter.side, filter.address, filter.prefix);
    case "device":
      return deviceCode(filter.index);
    case "all":
      return filter.of.map(encodeFilter).reduce((a, b) => (a && b ? and(a, b) : (a ?? b)), undefined);
    case "any":
      if (filter.of.length === 0) return op(INET_DIAG_BC_JMP, OP_LENGTH, OP_LENGTH + REFUSE);
      // One alternative that accepts all makes the whole accept all.
      return filter.of.map(encodeFilter).reduce((a, b) => a && b && or(a, b));
  }
}

/** The one local port that all sockets have which the filter lets through; undefined where there is no such. */
export function localPortOf(filter: Filter): number | undefined {
  if (filter.kind === "port" && filter.side === "local") return filter.port;
  if (filter.kind !== "all") return undefined;
  return filter.of.map(localPortOf).find((port) => port !== undefined);
}

function addressMatches(address: Uint8Array, network: Uint8Array, prefix: number): boolean {
  if (address.length === network.length) return matchesPrefix(address, network, prefix);
  // The kernel compares an IPv4 condition with the IPv4 address inside a v4-mapped one, never the other way round.
  return network.length === 4 && isV4Mapped(address) && matchesPrefix(address.subarray(12), network, prefix);
}

/** What the bytecode of `filter` decides, decided here. */
export function matchesFilter(
  filter: Filter,
  socket: Pick<InetDiagMessage, "source" | "destination" | "sourcePort" | "destinationPort" | "interfaceIndex">,
): boolean {
  switch (filter.kind) {
    case "port":
      return (filter.side === "local" ? socket.sourcePort : socket.destinationPort) === filter.port;
    case "address": {
      const address = filter.side === "local" ? socket.source : socket.destination;
      return addressMatches(address, filter.address, filter.prefix);
    }
    case "device":
      return socket.interfaceIndex === filter.index;
    case "all":
      return filter.of.every((part) => matchesFilter(part, socket));
    case "any":
      return filter.of.some((part) => matchesFilter(part, socket));
  }
}
