/** A TCP socket in the terms in which people speak of it. */
import { formatIp, isUnspecified, isV4Mapped } from "./address.ts";
import {
  INET_DIAG_CGROUP_ID,
  INET_DIAG_CONG,
  INET_DIAG_INFO,
  INET_DIAG_SHUTDOWN,
  INET_DIAG_SKMEMINFO,
  INET_DIAG_SKV6ONLY,
  TIMERS,
  type InetDiagMessage,
  type TimerKind,
} from "./inet-diag.ts";
import { listedStateName, type TcpState } from "./state.ts";
import { decodeTcpInfo, type TcpInfo } from "./tcp-info.ts";

/** tcp46: an IPv6 socket that speaks IPv4 too (a dual-stack listener) or only (a v4-mapped connection). */
export type TcpProtocol = "tcp4" | "tcp6" | "tcp46";

export interface Endpoint {
  /** As text; a dual-stack wildcard is `*`. */
  address: string;
  /** 0: none, as for the peer of a listener. */
  port: number;
}

export interface TcpSocket {
  protocol: TcpProtocol;
  state: TcpState | `UNKNOWN-${number}`;
  local: Endpoint;
  peer: Endpoint;
  /** Index of the device that the socket is bound to, 0 for none. */
  interfaceIndex: number;
  /** Bytes received and not yet read; of a listener: connections waiting for accept. */
  receiveQueue: number;
  /** Bytes not yet acknowledged; of a listener: the limit of its queue. */
  sendQueue: number;
  timer: { kind: TimerKind; leftMs: number; retransmits: number } | null;
  /** The creator's user id; null where the kernel keeps none (TIME-WAIT, SYN-RECEIVED). */
  uid: number | null;
  /** 0: no process has it, the kernel alone does. */
  inode: number;
  /** Identifies the socket for its life, TIME-WAIT included. 0n where the source has none. */
  cookie: bigint;
  v6only?: boolean;
  /** RCV_SHUTDOWN (1) and SEND_SHUTDOWN (2), include/net/sock.h. */
  shutdown?: number;
  cgroupId?: bigint;
  congestionControl?: string;
  /** Bytes: rmem_alloc, rcvbuf, wmem_alloc, sndbuf, fwd_alloc, wmem_queued, optmem, backlog, drops. */
  memory?: readonly number[];
  info?: TcpInfo;
}

const AF_INET = 2;
const TCP_SYN_RECV = 3;
const TCP_TIME_WAIT = 6;
const TCP_NEW_SYN_RECV = 12;

/** True where the uid that the kernel reports means nothing: it keeps none for these. */
export function hasNoUid(state: number, inode: number): boolean {
  return inode === 0 && (state === TCP_TIME_WAIT || state === TCP_SYN_RECV || state === TCP_NEW_SYN_RECV);
}

/** True for an IPv6 wildcard that takes IPv4 too. `v6only` undefined: not told (only listeners and bound sockets tell). */
function isDualStack(socket: InetDiagMessage, v6only: boolean | undefined): boolean {
  return socket.family !== AF_INET && v6only === false && isUnspecified(socket.source);
}

function protocolOf(socket: InetDiagMessage, dualStack: boolean): TcpProtocol {
  if (socket.family === AF_INET) return "tcp4";
  return dualStack || isV4Mapped(socket.source) || isV4Mapped(socket.destination) ? "tcp46" : "tcp6";
}

function littleEndianUint32s(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length >> 2 }, (_, i) => view.getUint32(4 * i, true));
}

export function toTcpSocket(message: InetDiagMessage): TcpSocket {
  const attribute = (type: number) => message.attributes.find((candidate) => candidate.type === type)?.value;
  const v6onlyByte = attribute(INET_DIAG_SKV6ONLY)?.[0];
  const v6only = v6onlyByte === undefined ? undefined : v6onlyByte !== 0;
  const dualStack = isDualStack(message, v6only);
  const socket: TcpSocket = {
    protocol: protocolOf(message, dualStack),
    state: listedStateName(message.state) ?? `UNKNOWN-${message.state}`,
    local: { address: dualStack ? "*" : formatIp(message.source), port: message.sourcePort },
    peer: {
      address: dualStack ? "*" : formatIp(message.destination),
      port: message.destinationPort,
    },
    interfaceIndex: message.interfaceIndex,
    receiveQueue: message.receiveQueue,
    sendQueue: message.sendQueue,
    timer:
      message.timer === 0
        ? null
        : {
            kind: TIMERS[message.timer] ?? `unknown ${message.timer}`,
            leftMs: message.expiresMs,
            retransmits: message.retransmits,
          },
    uid: hasNoUid(message.state, message.inode) ? null : message.uid,
    inode: message.inode,
    cookie: message.cookie,
  };
  if (v6only !== undefined) socket.v6only = v6only;
  const shutdown = attribute(INET_DIAG_SHUTDOWN)?.[0];
  if (shutdown !== undefined) socket.shutdown = shutdown;
  const cgroup = attribute(INET_DIAG_CGROUP_ID);
  if (cgroup?.length === 8) socket.cgroupId = new DataView(cgroup.buffer, cgroup.byteOffset).getBigUint64(0, true);
  const congestion = attribute(INET_DIAG_CONG);
  if (congestion) socket.congestionControl = new TextDecoder().decode(congestion).replace(/\0.*$/s, "");
  const memory = attribute(INET_DIAG_SKMEMINFO);
  if (memory) socket.memory = littleEndianUint32s(memory);
  const info = attribute(INET_DIAG_INFO);
  if (info) socket.info = decodeTcpInfo(info);
  return socket;
}
