/** The library: what the commands do, for programs. Linux only. docs/node.md describes it. */
import { INET_DIAG_CONG, INET_DIAG_INFO, INET_DIAG_SKMEMINFO } from "../codec/inet-diag.ts";
import { ALL_STATES_MASK, stateMask, type TcpState } from "../codec/state.ts";
import { toTcpSocket, type TcpSocket } from "../codec/tcp-socket.ts";
import { findHolders, type Holder } from "../linux/holders.ts";
import { decodeRows } from "../linux/socket-table.ts";
import { readSockets } from "../linux/sockets.ts";

export type { Endpoint, TcpProtocol, TcpSocket } from "../codec/tcp-socket.ts";
export type { TcpState } from "../codec/state.ts";
export { free, type Freed, type FreeOptions } from "./free.ts";
export { listen, Listening, type ListeningEvents, type ServerListenOptions } from "./listen.ts";
export { predict, type Prediction, type Scenario, type ScenarioOptions, type ScenarioStep } from "./predict.ts";
export { WaitError, waitForPort, type PortStanding, type WaitOptions } from "./wait.ts";
export type { PortAt, Where } from "./where.ts";
export { why, type WhyOptions } from "./why.ts";
export type { Explanation } from "./errno-exception.ts";
export type { ExplainedAsk, ExplainedFinding, ExplainedSocket } from "../remedy/explanation.ts";
export type { FreedPort, FreeStep, PortState } from "../remedy/freed-port.ts";
export type { NamedHolder, ProcessObject, SocketObject } from "../remedy/objects.ts";
export type { PredictedStep, StepLeftOut } from "../bind/predicted-step.ts";
export type { System } from "../bind/state.ts";
export type { Cause, Remedy } from "../diagnose/finding.ts";
export type { TcpInfo } from "../codec/tcp-info.ts";
export type { Holder } from "../linux/holders.ts";
export { processFacts, type ProcessFacts } from "../linux/process.ts";
export { NetlinkError } from "../linux/netlink-error.ts";
export { SyscallError } from "../sys/index.ts";

/** @public */
export interface SocketsOptions {
  /** Only sockets with this local port, 1 to 65535. */
  port?: number;
  /** Only these states. */
  states?: readonly TcpState[];
  /** Only IPv4 or IPv6 sockets. */
  family?: 4 | 6;
  /** Look for the processes that hold each socket (every descriptor of every readable process is looked at). */
  owners?: boolean;
  /** Ask for `info`, `memory` and `congestionControl` too. */
  details?: boolean;
}

/** @public */
export type ListedSocket = TcpSocket & {
  /** Every process and descriptor that holds the socket; absent unless `owners` was asked for. */
  owners?: readonly Holder[];
};

/**
 * The TCP sockets of this thread's network namespace.
 *
 * Throws `SyscallError` or `NetlinkError` if the kernel refuses. Where netlink is denied, /proc/net/tcp is read instead,
 * which knows no cookies and leaves out sockets that are only bound.
 *
 * @public
 */
export function sockets(options: SocketsOptions = {}): ListedSocket[] {
  const { port, states, family, owners, details } = options;
  const table = readSockets({
    family: family === undefined ? "both" : family === 4 ? 2 : 10,
    states: states ? states.reduce((mask, state) => mask | stateMask(state), 0) : ALL_STATES_MASK,
    ...(port !== undefined && { filter: { kind: "port", side: "local", port } }),
    extensions: details ? [INET_DIAG_INFO, INET_DIAG_SKMEMINFO, INET_DIAG_CONG] : [],
  });
  const list: ListedSocket[] = decodeRows(table).map(toTcpSocket);
  if (!owners) return list;
  const { holders } = findHolders(new Set(list.map(({ inode }) => inode).filter((inode) => inode !== 0)));
  for (const socket of list) socket.owners = holders.get(socket.inode) ?? [];
  return list;
}
