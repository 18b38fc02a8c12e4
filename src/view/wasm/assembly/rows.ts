/**
 * The rows of a socket table, written in AssemblyScript: V8 takes longer to get this fast as JavaScript than a table of
 * 125,000 sockets takes here. Reads messages of sock_diag in place. No objects, no allocation, and nothing in memory
 * but what layout.ts says.
 */
import {
  DONE,
  FIRST_TIMER_TEXT,
  FULL,
  IN_AT,
  INTERFACE,
  INTERFACES,
  KEY,
  NAME,
  NAME_FILLED,
  NAME_LENGTH,
  NAME_SLOT,
  NAME_SLOTS,
  NAMED_STATES,
  NAMED_TIMERS,
  OUT_AT,
  OUTPUT_FULL,
  OWNER,
  ROWS,
  TCP46_TEXT,
  TCP4_TEXT,
  TCP6_TEXT,
  UNKNOWN_STATE_TEXT,
  UNKNOWN_TIMER_TEXT,
  USER,
  USERS,
  WIDEST,
  WIDTHS,
} from "../layout";
import {
  countDigits,
  isUnspecified,
  isV4Mapped,
  padTo,
  putByte,
  putBytes,
  putDecimal,
  putDigits,
  putIpv4,
  putIpv6,
  putText,
  textLength,
} from "./text";

// struct nlmsghdr and struct nlattr, include/uapi/linux/netlink.h
const NLMSG_TYPE: usize = 4;
const NLMSG_HEADER_LENGTH: usize = 16;
/** The last of the types that are netlink's own. */
const NLMSG_OVERRUN: u16 = 4;
const NLATTR_TYPE: usize = 2;
const NLATTR_HEADER_LENGTH: usize = 4;

// struct inet_diag_msg, include/uapi/linux/inet_diag.h
const IDIAG_FAMILY: usize = 0;
const IDIAG_STATE: usize = 1;
const IDIAG_TIMER: usize = 2;
const IDIAG_RETRANS: usize = 3;
const IDIAG_SPORT: usize = 4;
const IDIAG_DPORT: usize = 6;
const IDIAG_SRC: usize = 8;
const IDIAG_DST: usize = 24;
const IDIAG_IF: usize = 40;
const IDIAG_EXPIRES: usize = 52;
const IDIAG_RQUEUE: usize = 56;
const IDIAG_WQUEUE: usize = 60;
const IDIAG_UID: usize = 64;
const IDIAG_INODE: usize = 68;
const INET_DIAG_MSG_LENGTH: usize = 72;
const INET_DIAG_SKV6ONLY: u16 = 11;

const AF_INET: u8 = 2;

// include/net/tcp_states.h
const TCP_SYN_RECV: u8 = 3;
const TCP_TIME_WAIT: u8 = 6;
const TCP_CLOSE: u8 = 7;
const TCP_LISTEN: u8 = 10;
const TCP_NEW_SYN_RECV: u8 = 12;
const TCP_BOUND_INACTIVE: u8 = 13;

// the columns, in their order
const PROTOCOL_COLUMN: u32 = 0;
const RECEIVE_QUEUE_COLUMN: u32 = 1;
const SEND_QUEUE_COLUMN: u32 = 2;
const LOCAL_COLUMN: u32 = 3;
const PEER_COLUMN: u32 = 4;
const STATE_COLUMN: u32 = 5;
const TIMER_COLUMN: u32 = 6;
const USER_COLUMN: u32 = 7;

const NEWLINE: u8 = 0x0a;
const SPACE: u8 = 0x20;
const PERCENT: u8 = 0x25;
const LEFT_PARENTHESIS: u8 = 0x28;
const RIGHT_PARENTHESIS: u8 = 0x29;
const STAR: u8 = 0x2a;
const DASH: u8 = 0x2d;
const DOT: u8 = 0x2e;
const ZERO: u8 = 0x30;
const COLON: u8 = 0x3a;
const LEFT_BRACKET: u8 = 0x5b;
const RIGHT_BRACKET: u8 = 0x5d;
const LETTER_S: u8 = 0x73;

function align4(length: usize): usize {
  return (length + 3) & ~3;
}

function widthOf(column: u32): u32 {
  return load<u32>(WIDTHS + column * 4);
}

function noteWidth(column: u32, width: u32): void {
  if (width > load<u32>(WIDEST + column * 4)) store<u32>(WIDEST + column * 4, width);
}

/** Ends a column whose text goes from `start` to `at`: fills it up, and a space beyond. */
function endColumn(column: u32, start: usize, at: usize): usize {
  noteWidth(column, <u32>(at - start));
  return putByte(padTo(at, start + widthOf(column)), SPACE);
}

/** True if an IPv6 wildcard listener takes IPv4 too. Sources that do not tell (/proc) get the narrower reading. */
function isDualStack(message: usize, end: usize): bool {
  let at = message + INET_DIAG_MSG_LENGTH;
  while (at + NLATTR_HEADER_LENGTH <= end) {
    const length: usize = load<u16>(at);
    if (load<u16>(at + NLATTR_TYPE) == INET_DIAG_SKV6ONLY) {
      return length > NLATTR_HEADER_LENGTH && load<u8>(at + NLATTR_HEADER_LENGTH) == 0;
    }
    if (length < NLATTR_HEADER_LENGTH) break;
    at += align4(length);
  }
  return false;
}

/** Only sockets in these states can be at the unspecified address for both families. */
function canBeDualStack(message: usize): bool {
  const state = load<u8>(message + IDIAG_STATE);
  return state == TCP_LISTEN || state == TCP_CLOSE || state == TCP_BOUND_INACTIVE;
}

/** Right-aligned. */
function putQueue(at: usize, column: u32, value: u32): usize {
  const digits = countDigits(value);
  noteWidth(column, digits);
  // Signed: the number may be wider than the column.
  const padding = <i32>widthOf(column) - <i32>digits;
  if (padding > 0) at = padTo(at, at + padding);
  return putByte(putDigits(at, value, digits), SPACE);
}

function putDevice(at: usize, device: u32): usize {
  return device == 0 ? at : putName(putByte(at, PERCENT), INTERFACES, device);
}

/** `[fe80::1%eth0]`: the device stands where RFC 4007 has an address's zone, also behind addresses that need none. */
function putAddress(at: usize, address: usize, v4: bool, dualStack: bool, device: u32): usize {
  if (v4) return putDevice(putIpv4(at, address), device);
  if (dualStack) return putDevice(putByte(at, STAR), device);
  return putByte(putDevice(putIpv6(putByte(at, LEFT_BRACKET), address), device), RIGHT_BRACKET);
}

/** `port` points to it, in network order. */
function putPort(at: usize, port: usize): usize {
  at = putByte(at, COLON);
  const number = bswap<u16>(load<u16>(port));
  return number == 0 ? putByte(at, STAR) : putDecimal(at, number);
}

function putState(at: usize, state: u32): usize {
  if (state < <u32>NAMED_STATES && textLength(state) > 0) return putText(at, state);
  return putDecimal(putText(at, UNKNOWN_STATE_TEXT), state);
}

/** `timewait:59.9s`, `retransmit:0.2s(3)` (tenths of a second; how often it has fired), or `-`. */
function putTimer(at: usize, message: usize): usize {
  const kind: u32 = load<u8>(message + IDIAG_TIMER);
  if (kind == 0) return putByte(at, DASH);
  const named = kind < <u32>NAMED_TIMERS && textLength(FIRST_TIMER_TEXT + kind) > 0;
  at = putText(at, named ? FIRST_TIMER_TEXT + kind : UNKNOWN_TIMER_TEXT);
  const tenths = load<u32>(message + IDIAG_EXPIRES) / 100;
  const seconds = tenths / 10;
  at = putByte(putDecimal(at, seconds), DOT);
  at = putByte(putByte(at, <u8>(ZERO + (tenths - seconds * 10))), LETTER_S);
  const retransmits: u32 = load<u8>(message + IDIAG_RETRANS);
  if (retransmits == 0) return at;
  return putByte(putDecimal(putByte(at, LEFT_PARENTHESIS), retransmits), RIGHT_PARENTHESIS);
}

/** The kernel keeps no uid for these. */
function hasNoUid(message: usize): bool {
  if (load<u32>(message + IDIAG_INODE) != 0) return false;
  const state = load<u8>(message + IDIAG_STATE);
  return state == TCP_TIME_WAIT || state == TCP_SYN_RECV || state == TCP_NEW_SYN_RECV;
}

/** The slot of this key in USERS or INTERFACES. */
function nameSlot(table: usize, key: u32): usize {
  return table + (key % NAME_SLOTS) * NAME_SLOT;
}

function isNamed(table: usize, key: u32): bool {
  const slot = nameSlot(table, key);
  return load<u32>(slot) == key && load<u32>(slot + NAME_FILLED) != 0;
}

function putName(at: usize, table: usize, key: u32): usize {
  const slot = nameSlot(table, key);
  return putBytes(at, slot + NAME, load<u32>(slot + NAME_LENGTH));
}

/** DONE, or the kind of name that this row takes and that has to be asked for: its key is in KEY then. */
function missingName(message: usize): i32 {
  const device = load<u32>(message + IDIAG_IF);
  if (device != 0 && !isNamed(INTERFACES, device)) {
    store<u32>(KEY, device);
    return INTERFACE;
  }
  const uid = load<u32>(message + IDIAG_UID);
  if (!isNamed(USERS, uid) && !hasNoUid(message)) {
    store<u32>(KEY, uid);
    return USER;
  }
  return DONE;
}

function putEndpoints(at: usize, message: usize, v4: bool, dualStack: bool): usize {
  let start = at;
  at = putAddress(at, message + IDIAG_SRC, v4, dualStack, load<u32>(message + IDIAG_IF));
  at = endColumn(LOCAL_COLUMN, start, putPort(at, message + IDIAG_SPORT));
  start = at;
  at = putAddress(at, message + IDIAG_DST, v4, dualStack, 0);
  return endColumn(PEER_COLUMN, start, putPort(at, message + IDIAG_DPORT));
}

/** A row up to its last text: without the end of the line, or with `owners` up to where they begin. */
function putRow(at: usize, message: usize, end: usize, owners: bool): usize {
  const source = message + IDIAG_SRC;
  const v4 = load<u8>(message + IDIAG_FAMILY) == AF_INET;
  const dualStack = !v4 && canBeDualStack(message) && isUnspecified(source) && isDualStack(message, end);
  const takesV4 = dualStack || (!v4 && (isV4Mapped(source) || isV4Mapped(message + IDIAG_DST)));

  at = endColumn(PROTOCOL_COLUMN, at, putText(at, v4 ? TCP4_TEXT : takesV4 ? TCP46_TEXT : TCP6_TEXT));
  at = putQueue(at, RECEIVE_QUEUE_COLUMN, load<u32>(message + IDIAG_RQUEUE));
  at = putQueue(at, SEND_QUEUE_COLUMN, load<u32>(message + IDIAG_WQUEUE));
  at = putEndpoints(at, message, v4, dualStack);
  at = endColumn(STATE_COLUMN, at, putState(at, load<u8>(message + IDIAG_STATE)));
  at = endColumn(TIMER_COLUMN, at, putTimer(at, message));

  const start = at;
  at = hasNoUid(message) ? putByte(at, DASH) : putName(at, USERS, load<u32>(message + IDIAG_UID));
  if (owners) return endColumn(USER_COLUMN, start, at);
  noteWidth(USER_COLUMN, <u32>(at - start));
  return at;
}

/**
 * Writes a row for each socket of the netlink messages from IN_AT to `end`, until no whole message is left or the caller
 * has to do something, and returns what: DONE, FULL, USER, INTERFACE, OWNER.
 */
export function format(end: usize, owners: bool): i32 {
  let need: i32 = DONE;
  let at: usize = load<u32>(IN_AT);
  let out: usize = load<u32>(OUT_AT);
  while (at + NLMSG_HEADER_LENGTH <= end) {
    const length: usize = load<u32>(at);
    if (length < NLMSG_HEADER_LENGTH || length > end - at) break;
    if (load<u16>(at + NLMSG_TYPE) > NLMSG_OVERRUN) {
      const message = at + NLMSG_HEADER_LENGTH;
      need = out >= <usize>OUTPUT_FULL ? FULL : missingName(message);
      if (need != DONE) break;
      out = putRow(out, message, at + length, owners);
      store<u32>(ROWS, load<u32>(ROWS) + 1);
      if (owners) {
        store<u32>(KEY, load<u32>(message + IDIAG_INODE));
        need = OWNER;
      } else out = putByte(out, NEWLINE);
    }
    at += align4(length);
    if (need != DONE) break;
  }
  store<u32>(IN_AT, at);
  store<u32>(OUT_AT, out);
  return need;
}
