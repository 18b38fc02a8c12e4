/** Rows of a socket table, from the kernel's bytes to text without a stop between. */
import { INET_DIAG_MSG, INET_DIAG_MSG_LENGTH, INET_DIAG_SKV6ONLY, TIMERS } from "../codec/inet-diag.ts";
import { align4, NLATTR_HEADER_LENGTH, NLMSG_HEADER_LENGTH, NLMSG_OVERRUN } from "../codec/nlmsg.ts";
import { STATES } from "../codec/state.ts";
import { hasNoUid } from "../codec/tcp-socket.ts";
import { asBytes, isMapped, NEWLINE, padTo, putBytes, putDecimal, putIpv4, putIpv6, SPACE } from "./bytes.ts";

/** What the rows need to know beside the kernel's bytes. Texts are bytes, safe for a terminal. */
export interface RowContext {
  user(uid: number): Uint8Array;
  interfaceName(index: number): Uint8Array;
  /** undefined: the table has no owner column. */
  owners?: {
    /** An upper bound of the bytes that `put` writes. */
    room(inode: number): number;
    put(out: Uint8Array, at: number, inode: number): number;
  };
}

export const COLUMNS = ["Proto", "Recv-Q", "Send-Q", "Local", "Peer", "State", "Timer", "User", "Owner"] as const;
/** Widths of a table whose rows are not known beforehand. Piped output always has these: it does not depend on them. */
export const FIXED_WIDTHS: readonly number[] = [5, 6, 6, 21, 21, 12, 16, 8, 0];
const OWNER = 8;

const NAMES: Uint8Array[] = [];
for (const { number, rfc } of STATES) NAMES[number] = asBytes(rfc);
const UNKNOWN = asBytes("UNKNOWN-");
const TIMER_NAMES = TIMERS.map((name) => asBytes(`${name}:`));
const UNKNOWN_TIMER = asBytes("unknown:");
const TCP4 = asBytes("tcp4");
const TCP6 = asBytes("tcp6");
const TCP46 = asBytes("tcp46");
const [DASH, STAR, COLON, PERCENT, DOT, OPEN, CLOSE, LEFT, RIGHT, ZERO, S] = asBytes("-*:%.[]()0s") as Iterable<number>;

const TCP_CLOSE = 7;
const TCP_LISTEN = 10;
const TCP_BOUND_INACTIVE = 13;
const AF_INET = 2;

/** The most that one row takes, owners aside. */
const ROW_ROOM = 512;

function isUnspecified(bytes: Uint8Array, from: number): boolean {
  for (let i = 0; i < 16; i++) if (bytes[from + i] !== 0) return false;
  return true;
}

/** True if an IPv6 wildcard listener takes IPv4 too. Sources that do not tell (/proc) get the narrower reading. */
function isDualStack(bytes: Uint8Array, from: number, end: number): boolean {
  for (let at = from + INET_DIAG_MSG_LENGTH; at + NLATTR_HEADER_LENGTH <= end;) {
    const length = bytes[at]! | (bytes[at + 1]! << 8);
    if (bytes[at + 2] === INET_DIAG_SKV6ONLY && bytes[at + 3] === 0) return bytes[at + 4] === 0;
    if (length < NLATTR_HEADER_LENGTH) break;
    at += align4(length);
  }
  return false;
}

export class SocketRows {
  /** The widest text of each column so far. */
  readonly widest = COLUMNS.map((title) => title.length);
  readonly #widths: readonly number[];
  #out = new Uint8Array(256 * 1024);
  #at = 0;

  constructor(
    private readonly context: RowContext,
    widths: readonly number[],
  ) {
    this.#widths = widths;
  }

  /** The rows written since the last call. */
  take(): Uint8Array {
    const text = this.#out.slice(0, this.#at);
    this.#at = 0;
    return text;
  }

  heading(): void {
    const columns = this.context.owners ? COLUMNS : COLUMNS.slice(0, OWNER);
    let line = "";
    for (const [i, title] of columns.entries()) {
      const width = this.#widths[i]!;
      const text = i === 1 || i === 2 ? title.padStart(width) : title.padEnd(width);
      line += i === columns.length - 1 ? title : `${text} `;
    }
    this.#at = putBytes(this.#out, this.#at, asBytes(`${line}\n`));
  }

  /**
   * Appends a row for each socket of these netlink messages, whose lengths have been checked; `sink` gets the text
   * whenever there is much of it. Returns the number of rows.
   */
  append(bytes: Uint8Array, length: number, sink: (text: Uint8Array) => void): number {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    let rows = 0;
    for (let at = 0; at < length;) {
      const size = words[at >> 2]!;
      if ((words[(at + 4) >> 2]! & 0xffff) > NLMSG_OVERRUN) {
        this.#row(bytes, words, at + NLMSG_HEADER_LENGTH, at + size);
        rows++;
      }
      at += align4(size);
      if (this.#at > this.#out.length - 64 * 1024) {
        sink(this.#out.subarray(0, this.#at));
        this.#at = 0;
      }
    }
    return rows;
  }

  #ensure(room: number): void {
    if (this.#out.length - this.#at >= room) return;
    const larger = new Uint8Array(2 * (this.#at + room));
    larger.set(this.#out.subarray(0, this.#at));
    this.#out = larger;
  }

  #row(bytes: Uint8Array, words: Uint32Array, from: number, end: number): void {
    const word = from >> 2;
    const inode = words[word + (INET_DIAG_MSG.inode >> 2)]!;
    const owners = this.context.owners;
    this.#ensure(ROW_ROOM + (owners ? owners.room(inode) : 0));
    const out = this.#out;
    const widths = this.#widths;
    const widest = this.widest;
    const state = bytes[from + INET_DIAG_MSG.state]!;
    const v4 = bytes[from] === AF_INET;
    const dual =
      !v4 &&
      (state === TCP_LISTEN || state === TCP_CLOSE || state === TCP_BOUND_INACTIVE) &&
      isUnspecified(bytes, from + INET_DIAG_MSG.src) &&
      isDualStack(bytes, from, end);
    const mapped = !v4 && (isMapped(bytes, from + INET_DIAG_MSG.src) || isMapped(bytes, from + INET_DIAG_MSG.dst));

    let start = this.#at;
    let at = putBytes(out, start, v4 ? TCP4 : dual || mapped ? TCP46 : TCP6);
    at = padTo(out, at, start + widths[0]!);

    for (let column = 1; column <= 2; column++) {
      out[at++] = SPACE;
      const value = words[word + (INET_DIAG_MSG.rqueue >> 2) + column - 1]!;
      let digits = 1;
      for (let limit = 10; value >= limit; limit *= 10) digits++;
      if (digits > widest[column]!) widest[column] = digits;
      at = putDecimal(out, padTo(out, at, at + widths[column]! - digits), value);
    }

    const device = words[word + (INET_DIAG_MSG.if >> 2)]!;
    for (let column = 3; column <= 4; column++) {
      out[at++] = SPACE;
      start = at;
      const local = column === 3;
      const address = from + (local ? INET_DIAG_MSG.src : INET_DIAG_MSG.dst);
      if (v4) at = putIpv4(out, at, bytes, address);
      else if (dual) out[at++] = STAR!;
      else {
        out[at++] = OPEN!;
        at = putIpv6(out, at, bytes, address);
        out[at++] = CLOSE!;
      }
      if (device !== 0 && local) {
        out[at++] = PERCENT!;
        at = putBytes(out, at, this.context.interfaceName(device));
      }
      out[at++] = COLON!;
      const at16 = from + (local ? INET_DIAG_MSG.sport : INET_DIAG_MSG.dport);
      const port = (bytes[at16]! << 8) | bytes[at16 + 1]!;
      if (port === 0) out[at++] = STAR!;
      else at = putDecimal(out, at, port);
      if (at - start > widest[column]!) widest[column] = at - start;
      at = padTo(out, at, start + widths[column]!);
    }

    out[at++] = SPACE;
    start = at;
    const name = NAMES[state];
    at = name ? putBytes(out, at, name) : putDecimal(out, putBytes(out, at, UNKNOWN), state);
    if (at - start > widest[5]!) widest[5] = at - start;
    at = padTo(out, at, start + widths[5]!);

    out[at++] = SPACE;
    start = at;
    at = this.#timer(out, at, bytes, from, words[word + (INET_DIAG_MSG.expires >> 2)]!);
    if (at - start > widest[6]!) widest[6] = at - start;
    at = padTo(out, at, start + widths[6]!);

    out[at++] = SPACE;
    start = at;
    if (hasNoUid(state, inode)) out[at++] = DASH!;
    else at = putBytes(out, at, this.context.user(words[word + (INET_DIAG_MSG.uid >> 2)]!));
    if (at - start > widest[7]!) widest[7] = at - start;

    if (owners) {
      at = padTo(out, at, start + widths[7]!);
      out[at++] = SPACE;
      at = owners.put(out, at, inode);
    }
    out[at++] = NEWLINE;
    this.#at = at;
  }

  /** `timewait:59.9s`, `retransmit:0.2s(3)` (tenths of a second; how often it has fired), or `-`. */
  #timer(out: Uint8Array, at: number, bytes: Uint8Array, from: number, leftMs: number): number {
    const kind = bytes[from + INET_DIAG_MSG.timer]!;
    if (kind === 0) {
      out[at] = DASH!;
      return at + 1;
    }
    at = putBytes(out, at, TIMER_NAMES[kind] ?? UNKNOWN_TIMER);
    const tenths = Math.floor(leftMs / 100);
    const seconds = Math.floor(tenths / 10);
    at = putDecimal(out, at, seconds);
    out[at++] = DOT!;
    out[at++] = ZERO! + (tenths - seconds * 10);
    out[at++] = S!;
    const retransmits = bytes[from + INET_DIAG_MSG.retrans]!;
    if (retransmits > 0) {
      out[at++] = LEFT!;
      at = putDecimal(out, at, retransmits);
      out[at++] = RIGHT!;
    }
    return at;
  }
}
