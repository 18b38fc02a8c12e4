/** sock_diag's requests and answers about inet sockets (include/uapi/linux/inet_diag.h). */
import { decoded, undecodable, type Decoded } from "./decoded.ts";
import {
  decodeAttributes,
  encodeAttributes,
  encodeNetlinkMessage,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  type Attribute,
} from "./nlmsg.ts";

const AF_INET = 2;
const IPPROTO_TCP = 6;

export const TCPDIAG_GETSOCK = 18;
export const SOCK_DIAG_BY_FAMILY = 20;
export const SOCK_DESTROY = 21;

const INET_DIAG_REQ_BYTECODE = 1;

export const INET_DIAG_INFO = 2;
export const INET_DIAG_CONG = 4;
export const INET_DIAG_SKMEMINFO = 7;
export const INET_DIAG_SHUTDOWN = 8;
export const INET_DIAG_SKV6ONLY = 11;
export const INET_DIAG_CGROUP_ID = 21;

/** struct inet_diag_msg, offsets in bytes. Ports and addresses are in network order, the rest in host order. */
export const INET_DIAG_MSG = {
  family: 0,
  state: 1,
  timer: 2,
  retrans: 3,
  sport: 4,
  dport: 6,
  src: 8,
  dst: 24,
  if: 40,
  cookie: 44,
  expires: 52,
  rqueue: 56,
  wqueue: 60,
  uid: 64,
  inode: 68,
};
export const INET_DIAG_MSG_LENGTH = 72;

/** The timer's kinds, by number (net/ipv4/inet_diag.c and tcp_diag.c). */
export const TIMERS = ["none", "retransmit", "keepalive", "timewait", "persist"] as const;
export type TimerKind = (typeof TIMERS)[number] | `unknown ${number}`;

export interface InetDiagMessage {
  family: number;
  /** The kernel's number, see state.ts. */
  state: number;
  timer: number;
  retransmits: number;
  sourcePort: number;
  destinationPort: number;
  /** 4 or 16 bytes, network order. */
  source: Uint8Array;
  destination: Uint8Array;
  /** The device that the socket is bound to, 0 for none. */
  interfaceIndex: number;
  cookie: bigint;
  /** Until the timer fires, milliseconds. */
  expiresMs: number;
  receiveQueue: number;
  sendQueue: number;
  uid: number;
  inode: number;
  attributes: Attribute[];
}

function addressLength(family: number): number {
  return family === AF_INET ? 4 : 16;
}

/** Decodes the payload of a SOCK_DIAG_BY_FAMILY or TCPDIAG_GETSOCK message. */
export function decodeInetDiagMessage(bytes: Uint8Array): Decoded<InetDiagMessage> {
  if (bytes.length < INET_DIAG_MSG_LENGTH) {
    return undecodable("truncated", "inet_diag_msg", bytes.length, INET_DIAG_MSG_LENGTH, bytes.length);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = INET_DIAG_MSG;
  const family = bytes[at.family]!;
  const attributes = decodeAttributes(bytes.subarray(INET_DIAG_MSG_LENGTH));
  if (!attributes.ok) return attributes;
  return decoded({
    family,
    state: bytes[at.state]!,
    timer: bytes[at.timer]!,
    retransmits: bytes[at.retrans]!,
    sourcePort: view.getUint16(at.sport, false),
    destinationPort: view.getUint16(at.dport, false),
    source: bytes.slice(at.src, at.src + addressLength(family)),
    destination: bytes.slice(at.dst, at.dst + addressLength(family)),
    interfaceIndex: view.getUint32(at.if, true),
    cookie: view.getBigUint64(at.cookie, true),
    expiresMs: view.getUint32(at.expires, true),
    receiveQueue: view.getUint32(at.rqueue, true),
    sendQueue: view.getUint32(at.wqueue, true),
    uid: view.getUint32(at.uid, true),
    inode: view.getUint32(at.inode, true),
    attributes: attributes.value,
  });
}

export function encodeInetDiagMessage(message: InetDiagMessage): Uint8Array {
  const attributes = encodeAttributes(message.attributes);
  const bytes = new Uint8Array(INET_DIAG_MSG_LENGTH + attributes.length);
  const view = new DataView(bytes.buffer);
  const at = INET_DIAG_MSG;
  bytes[at.family] = message.family;
  bytes[at.state] = message.state;
  bytes[at.timer] = message.timer;
  bytes[at.retrans] = message.retransmits;
  encodeTuple(bytes, at.sport, message);
  view.setUint32(at.expires, message.expiresMs, true);
  view.setUint32(at.rqueue, message.receiveQueue, true);
  view.setUint32(at.wqueue, message.sendQueue, true);
  view.setUint32(at.uid, message.uid, true);
  view.setUint32(at.inode, message.inode, true);
  bytes.set(attributes, INET_DIAG_MSG_LENGTH);
  return bytes;
}

/** What names one socket: struct inet_diag_sockid. */
export type SocketId = Pick<
  InetDiagMessage,
  "sourcePort" | "destinationPort" | "source" | "destination" | "interfaceIndex" | "cookie"
>;

/** The cookie that matches any socket: ~0 in both halves. */
export const INET_DIAG_NOCOOKIE = 0xffff_ffff_ffff_ffffn;

function encodeTuple(bytes: Uint8Array, offset: number, id: SocketId): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint16(offset, id.sourcePort, false);
  view.setUint16(offset + 2, id.destinationPort, false);
  bytes.set(id.source, offset + 4);
  bytes.set(id.destination, offset + 20);
  view.setUint32(offset + 36, id.interfaceIndex, true);
  view.setBigUint64(offset + 40, id.cookie, true);
}

// struct inet_diag_req_v2 and struct inet_diag_req; the id (48 bytes) lies before or after the states
const REQ_V2 = { family: 0, protocol: 1, ext: 2, states: 4, id: 8, length: 56 };
const REQ_V1 = { family: 0, srcLen: 1, dstLen: 2, ext: 3, id: 4, states: 52, dbs: 56, length: 60 };

function extensionMask(extensions: readonly number[]): number {
  // The mask is a byte: attributes above 8 can't be asked for, the kernel sends them of itself.
  return extensions.reduce((mask, extension) => mask | (1 << (extension - 1)), 0);
}

export interface DumpRequest {
  /** `both`: IPv4 and IPv6 in one walk of the kernel's tables, by the legacy message. */
  family: "both" | 2 | 10;
  /** Bit mask of the kernel's states. */
  states: number;
  /** INET_DIAG_* attributes to ask for, 1 to 8. */
  extensions?: readonly number[];
  /** Encoded by inet-diag-filter.ts. */
  bytecode?: Uint8Array | undefined;
  /** Connections of other local ports are left out. The kernel compares this first, in a fraction of the bytecode's time. */
  localPort?: number | undefined;
  seq: number;
}

/** A request to list TCP sockets. */
export function encodeDumpRequest(request: DumpRequest): Uint8Array {
  const both = request.family === "both";
  const layout = both ? REQ_V1 : REQ_V2;
  const attributes = request.bytecode
    ? encodeAttributes([{ type: INET_DIAG_REQ_BYTECODE, value: request.bytecode }])
    : new Uint8Array();
  const payload = new Uint8Array(layout.length + attributes.length);
  payload[layout.family] = request.family === "both" ? AF_INET : request.family;
  payload[layout.ext] = extensionMask(request.extensions ?? []);
  if (!both) payload[REQ_V2.protocol] = IPPROTO_TCP;
  const view = new DataView(payload.buffer);
  view.setUint16(layout.id, request.localPort ?? 0, false);
  view.setUint32(layout.states, request.states, true);
  payload.set(attributes, layout.length);
  return encodeNetlinkMessage({
    type: both ? TCPDIAG_GETSOCK : SOCK_DIAG_BY_FAMILY,
    flags: NLM_F_REQUEST | NLM_F_DUMP,
    seq: request.seq,
    pid: 0,
    payload,
  });
}

export interface ExactRequest {
  family: 2 | 10;
  id: SocketId;
  extensions?: readonly number[];
  seq: number;
}

function encodeExact(type: number, flags: number, request: ExactRequest): Uint8Array {
  const payload = new Uint8Array(REQ_V2.length);
  payload[REQ_V2.family] = request.family;
  payload[REQ_V2.protocol] = IPPROTO_TCP;
  payload[REQ_V2.ext] = extensionMask(request.extensions ?? []);
  new DataView(payload.buffer).setUint32(REQ_V2.states, 0xffff_ffff, true);
  encodeTuple(payload, REQ_V2.id, request.id);
  return encodeNetlinkMessage({ type, flags: NLM_F_REQUEST | flags, seq: request.seq, pid: 0, payload });
}

/** A request for the one socket with this id; answered by it, or by ENOENT. */
export function encodeLookupRequest(request: ExactRequest): Uint8Array {
  return encodeExact(SOCK_DIAG_BY_FAMILY, 0, request);
}

/** A request to end the one socket with this id (SOCK_DESTROY). Needs CAP_NET_ADMIN. */
export function encodeDestroyRequest(request: ExactRequest): Uint8Array {
  return encodeExact(SOCK_DESTROY, NLM_F_ACK, request);
}
