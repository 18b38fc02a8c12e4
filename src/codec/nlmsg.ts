/** Netlink messages and attributes (include/uapi/linux/netlink.h). All integers are in host order; hosts are little-endian. */
import { decoded, undecodable, type Decoded } from "./decoded.ts";

export const NLMSG_HEADER_LENGTH = 16;
export const NLMSG = { len: 0, type: 4, flags: 6, seq: 8, pid: 12 };

export const NLMSG_NOOP = 1;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLMSG_OVERRUN = 4;

export const NLM_F_REQUEST = 0x1;
export const NLM_F_MULTI = 0x2;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_CAPPED = 0x100;
export const NLM_F_ACK_TLVS = 0x200;
export const NLM_F_DUMP = 0x300;

const NLMSGERR_ATTR_MSG = 1;

/** Lengths of messages and attributes are padded to four bytes. */
export function align4(length: number): number {
  return (length + 3) & ~3;
}

export interface NetlinkMessage {
  type: number;
  flags: number;
  seq: number;
  pid: number;
  /** What follows the header, a view into the input. */
  payload: Uint8Array;
}

export function encodeNetlinkMessage(message: NetlinkMessage): Uint8Array {
  const length = NLMSG_HEADER_LENGTH + message.payload.length;
  const bytes = new Uint8Array(align4(length));
  const view = new DataView(bytes.buffer);
  view.setUint32(NLMSG.len, length, true);
  view.setUint16(NLMSG.type, message.type, true);
  view.setUint16(NLMSG.flags, message.flags, true);
  view.setUint32(NLMSG.seq, message.seq, true);
  view.setUint32(NLMSG.pid, message.pid, true);
  bytes.set(message.payload, NLMSG_HEADER_LENGTH);
  return bytes;
}

/** All messages of one datagram. */
export function decodeNetlinkMessages(bytes: Uint8Array): Decoded<NetlinkMessage[]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at < bytes.length;) {
    const left = bytes.length - at;
    if (left < NLMSG_HEADER_LENGTH) return undecodable("truncated", "nlmsg", at, NLMSG_HEADER_LENGTH, left);
    const length = view.getUint32(at + NLMSG.len, true);
    if (length < NLMSG_HEADER_LENGTH) return undecodable("bad-length", "nlmsg", at, NLMSG_HEADER_LENGTH, length);
    if (length > left) return undecodable("truncated", "nlmsg", at, length, left);
    messages.push({
      type: view.getUint16(at + NLMSG.type, true),
      flags: view.getUint16(at + NLMSG.flags, true),
      seq: view.getUint32(at + NLMSG.seq, true),
      pid: view.getUint32(at + NLMSG.pid, true),
      payload: bytes.subarray(at + NLMSG_HEADER_LENGTH, at + length),
    });
    at += align4(length);
  }
  return decoded(messages);
}

/** A netlink attribute (struct nlattr): type and value. Unknown types are kept like any other. */
export interface Attribute {
  type: number;
  value: Uint8Array;
}

export const NLATTR_HEADER_LENGTH = 4;

export function encodeAttributes(attributes: readonly Attribute[]): Uint8Array {
  const total = attributes.reduce((sum, { value }) => sum + align4(NLATTR_HEADER_LENGTH + value.length), 0);
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { type, value } of attributes) {
    view.setUint16(at, NLATTR_HEADER_LENGTH + value.length, true);
    view.setUint16(at + 2, type, true);
    bytes.set(value, at + NLATTR_HEADER_LENGTH);
    at += align4(NLATTR_HEADER_LENGTH + value.length);
  }
  return bytes;
}

export function decodeAttributes(bytes: Uint8Array): Decoded<Attribute[]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const attributes: Attribute[] = [];
  for (let at = 0; at < bytes.length;) {
    const left = bytes.length - at;
    if (left < NLATTR_HEADER_LENGTH) return undecodable("truncated", "nlattr", at, NLATTR_HEADER_LENGTH, left);
    const length = view.getUint16(at, true);
    if (length < NLATTR_HEADER_LENGTH) return undecodable("bad-length", "nlattr", at, NLATTR_HEADER_LENGTH, length);
    if (length > left) return undecodable("truncated", "nlattr", at, length, left);
    attributes.push({
      type: view.getUint16(at + 2, true),
      value: bytes.subarray(at + NLATTR_HEADER_LENGTH, at + length),
    });
    at += align4(length);
  }
  return decoded(attributes);
}

/** What an NLMSG_ERROR, or the payload of an NLMSG_DONE, says. `errno` 0 is an acknowledgement. */
export interface NetlinkAnswer {
  errno: number;
  /** The kernel's own sentence (extended acknowledgement), where it gave one. */
  text?: string;
}

/** Decodes the payload of NLMSG_ERROR (struct nlmsgerr) or NLMSG_DONE (an int), with its extended acknowledgement. */
export function decodeNetlinkAnswer({ type, flags, payload }: NetlinkMessage): Decoded<NetlinkAnswer> {
  if (payload.length < 4) {
    if (type === NLMSG_DONE && payload.length === 0) return decoded({ errno: 0 });
    return undecodable("truncated", "nlmsgerr", 0, 4, payload.length);
  }
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const answer: NetlinkAnswer = { errno: -view.getInt32(0, true) || 0 };
  if (!(flags & NLM_F_ACK_TLVS)) return decoded(answer);
  let at = 4;
  if (type === NLMSG_ERROR) {
    if (payload.length < 4 + NLMSG_HEADER_LENGTH) return decoded(answer);
    at += flags & NLM_F_CAPPED ? NLMSG_HEADER_LENGTH : align4(view.getUint32(4, true));
  }
  const attributes = decodeAttributes(payload.subarray(Math.min(at, payload.length)));
  const message = attributes.ok && attributes.value.find(({ type: t }) => t === NLMSGERR_ATTR_MSG);
  if (message) answer.text = new TextDecoder().decode(message.value).replace(/\0.*$/s, "");
  return decoded(answer);
}
