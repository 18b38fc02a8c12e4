/**
 * Rows of a socket table, from the kernel's bytes to text without a stop between. The rows themselves are written by
 * WebAssembly (wasm/assembly/); this file feeds it, and tells it what the kernel's bytes do not say.
 */
import { TIMERS } from "../codec/inet-diag.ts";
import { listedStateName, STATES } from "../codec/state.ts";
import { asBytes, NEWLINE } from "./bytes.ts";
import * as layout from "./wasm/layout.ts";
import { rowFormatter, type RowFormatter } from "./wasm/module.ts";

/** What the rows need to know beside the kernel's bytes. Texts are bytes, safe for a terminal. */
export interface RowContext {
  /** May be asked for the same again. Names beyond {@link layout.NAME_ROOM} bytes are cut: Linux has none that long. */
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
const OWNER_COLUMN = 8;

const PAGE = 0x10000;

// The control block, as indices of 32-bit words.
const WIDTHS = layout.WIDTHS >> 2;
const WIDEST = layout.WIDEST >> 2;
const IN_AT = layout.IN_AT >> 2;
const OUT_AT = layout.OUT_AT >> 2;
const ROWS = layout.ROWS >> 2;
const KEY = layout.KEY >> 2;

/** The slots at layout.TEXTS, without encoders and strings in between: each table pays for it. */
function putFixedTexts(memory: Uint8Array): void {
  const put = (slot: number, text: string) => {
    const at = layout.TEXTS + slot * layout.TEXT_SLOT;
    for (let i = 0; i < text.length; i++) memory[at + i] = text.charCodeAt(i);
    memory[at + layout.TEXT_LENGTH] = text.length;
  };
  for (const { number } of STATES) put(number, listedStateName(number)!);
  for (let kind = 0; kind < TIMERS.length; kind++) put(layout.FIRST_TIMER_TEXT + kind, `${TIMERS[kind]}:`);
  put(layout.TCP4_TEXT, "tcp4");
  put(layout.TCP6_TEXT, "tcp6");
  put(layout.TCP46_TEXT, "tcp46");
  put(layout.UNKNOWN_STATE_TEXT, "UNKNOWN-");
  put(layout.UNKNOWN_TIMER_TEXT, "unknown:");
  put(layout.MAPPED_PREFIX_TEXT, "::ffff:");
}

export class SocketRows {
  readonly #formatter: RowFormatter;
  /** A row's room, its padding included. */
  readonly #rowRoom: number;
  // The memory, as bytes and as words; made anew when it grows.
  #bytes!: Uint8Array;
  #words!: Int32Array;

  constructor(
    private readonly context: RowContext,
    private readonly widths: readonly number[],
  ) {
    this.#formatter = rowFormatter();
    this.#rowRoom = widths.reduce((sum, width) => sum + width, layout.ROW_ROOM);
    this.#view();
    this.#makeRoom(layout.OUTPUT_FULL + this.#rowRoom);
    putFixedTexts(this.#bytes);
    this.#words.set(widths, WIDTHS);
    for (const [i, title] of COLUMNS.entries()) this.#words[WIDEST + i] = title.length;
    this.#words[OUT_AT] = layout.OUTPUT;
  }

  /** The widest text of each column so far. */
  get widest(): number[] {
    return [...this.#words.subarray(WIDEST, WIDEST + COLUMNS.length)];
  }

  /** The rows written since the last call. */
  take(): Uint8Array {
    const text = this.#bytes.slice(layout.OUTPUT, this.#words[OUT_AT]!);
    this.#words[OUT_AT] = layout.OUTPUT;
    return text;
  }

  heading(): void {
    const columns = this.context.owners ? COLUMNS : COLUMNS.slice(0, OWNER_COLUMN);
    let line = "";
    for (const [i, title] of columns.entries()) {
      const width = this.widths[i]!;
      const text = i === 1 || i === 2 ? title.padStart(width) : title.padEnd(width);
      line += i === columns.length - 1 ? title : `${text} `;
    }
    const text = asBytes(`${line}\n`);
    const at = this.#words[OUT_AT]!;
    this.#makeRoom(at + text.length + this.#rowRoom);
    this.#bytes.set(text, at);
    this.#words[OUT_AT] = at + text.length;
  }

  /**
   * Appends a row for each socket of these netlink messages, whose lengths have been checked; `sink` gets the text
   * whenever there is much of it, and has to be done with it when it returns. Returns the number of rows.
   */
  append(bytes: Uint8Array, length: number, sink: (text: Uint8Array) => void): number {
    const before = this.#words[ROWS]!;
    for (let at = 0; at < length;) {
      const piece = bytes.subarray(at, Math.min(at + layout.INPUT_LENGTH, length));
      this.#bytes.set(piece, layout.INPUT);
      this.#words[IN_AT] = layout.INPUT;
      this.#format(layout.INPUT + piece.length, sink);
      const done = this.#words[IN_AT]! - layout.INPUT;
      if (done === 0)
        throw new RangeError(`a netlink message is cut short or longer than ${layout.INPUT_LENGTH} bytes`);
      at += done;
    }
    return this.#words[ROWS]! - before;
  }

  /** Writes the rows of the whole messages that the input has before `end`. */
  #format(end: number, sink: (text: Uint8Array) => void): void {
    const { context } = this;
    const owners = context.owners !== undefined;
    for (;;) {
      const need = this.#formatter.format(end, owners);
      const key = this.#words[KEY]! >>> 0;
      if (need === layout.OWNER) this.#putOwner(key);
      else if (need === layout.USER) this.#setName(layout.USERS, key, context.user(key));
      else if (need === layout.INTERFACE) this.#setName(layout.INTERFACES, key, context.interfaceName(key));
      else if (need === layout.FULL) {
        sink(this.#bytes.subarray(layout.OUTPUT, this.#words[OUT_AT]!));
        this.#words[OUT_AT] = layout.OUTPUT;
      } else return;
    }
  }

  #setName(table: number, key: number, name: Uint8Array): void {
    const slot = table + (key % layout.NAME_SLOTS) * layout.NAME_SLOT;
    const text = name.subarray(0, layout.NAME_ROOM);
    this.#words[slot >> 2] = key;
    this.#words[(slot + layout.NAME_FILLED) >> 2] = 1;
    this.#words[(slot + layout.NAME_LENGTH) >> 2] = text.length;
    this.#bytes.set(text, slot + layout.NAME);
  }

  /** Completes a row. */
  #putOwner(inode: number): void {
    const owners = this.context.owners!;
    let at = this.#words[OUT_AT]!;
    this.#makeRoom(at + owners.room(inode) + this.#rowRoom);
    at = owners.put(this.#bytes, at, inode);
    this.#bytes[at] = NEWLINE;
    this.#words[OUT_AT] = at + 1;
  }

  /** The output is the last area: what is written stays where it is when the memory grows. */
  #makeRoom(end: number): void {
    const missing = end - this.#bytes.length;
    if (missing <= 0) return;
    this.#formatter.memory.grow(Math.ceil(missing / PAGE));
    this.#view();
  }

  #view(): void {
    const { buffer } = this.#formatter.memory;
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Int32Array(buffer);
  }
}
