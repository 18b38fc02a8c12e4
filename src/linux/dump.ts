/**
 * Assembles the multi-part answer to a dump. The answer stays as the kernel wrote it, in slabs that recv(2) filled in
 * place: a table of 125,000 sockets is 16 MB, and neither copied nor decoded before somebody asks for a row.
 */
import { INET_DIAG_MSG_LENGTH } from "../codec/inet-diag.ts";
import { NLM_F_DUMP_INTR, NLMSG, NLMSG_DONE, NLMSG_ERROR, NLMSG_HEADER_LENGTH, NLMSG_OVERRUN } from "../codec/nlmsg.ts";

/** Netlink messages back to back, the first at 0, padded to four bytes; `length` bytes are filled. */
export interface Slab {
  bytes: Uint8Array;
  length: number;
}

/** The kernel fills at most 32 KB a call (NLMSG_DEFAULT_SIZE in net/netlink/af_netlink.c); twice that is room enough. */
export const RECEIVE_ROOM = 64 * 1024;
const SLAB_LENGTH = 1024 * 1024;
const ROW_LENGTH = NLMSG_HEADER_LENGTH + INET_DIAG_MSG_LENGTH;

export type DumpStatus =
  | { kind: "more" }
  /** Complete. `interrupted`: the table changed on the way, rows may be missing or double. */
  | { kind: "done"; interrupted: boolean }
  /** The kernel refused: the message is at `offset` of the current slab. */
  | { kind: "refused"; offset: number }
  | { kind: "malformed"; offset: number; need: number; have: number }
  /** The kernel had to drop messages. */
  | { kind: "overrun" };

export class Dump {
  readonly slabs: Slab[] = [];
  #interrupted = false;

  constructor(private readonly seq: number) {}

  /** Where the next datagram belongs: at least {@link RECEIVE_ROOM} bytes. */
  room(): Uint8Array {
    let slab = this.slabs.at(-1);
    if (!slab || slab.bytes.length - slab.length < RECEIVE_ROOM) {
      // Small answers, the usual case, take a small slab.
      const length = this.slabs.length === 0 ? RECEIVE_ROOM * 2 : SLAB_LENGTH;
      slab = { bytes: new Uint8Array(length), length: 0 };
      this.slabs.push(slab);
    }
    return slab.bytes.subarray(slab.length);
  }

  /** `received` bytes were written to {@link room}. Checks every length, so that readers of the slabs need not. */
  accept(received: number): DumpStatus {
    const slab = this.slabs.at(-1)!;
    const words = new Uint32Array(slab.bytes.buffer);
    const end = slab.length + received;
    let flags = 0;
    let at = slab.length;
    while (at < end) {
      const left = end - at;
      if (left < NLMSG_HEADER_LENGTH) return { kind: "malformed", offset: at, need: NLMSG_HEADER_LENGTH, have: left };
      const length = words[at >> 2]!;
      if (length < NLMSG_HEADER_LENGTH || length > left) {
        return { kind: "malformed", offset: at, need: Math.max(length, NLMSG_HEADER_LENGTH), have: left };
      }
      const typeAndFlags = words[(at + NLMSG.type) >> 2]!;
      const type = typeAndFlags & 0xffff;
      flags |= typeAndFlags >>> 16;
      if (type <= NLMSG_OVERRUN) {
        if (words[(at + NLMSG.seq) >> 2] !== this.seq && type !== NLMSG_OVERRUN) {
          return { kind: "malformed", offset: at, need: this.seq, have: words[(at + NLMSG.seq) >> 2]! };
        }
        if (type === NLMSG_ERROR) return { kind: "refused", offset: at };
        if (type === NLMSG_OVERRUN) return { kind: "overrun" };
        if (type === NLMSG_DONE) {
          slab.length = at;
          // A dump that failed on the way says so in the payload of its last message.
          if (length >= NLMSG_HEADER_LENGTH + 4 && (words[(at + NLMSG_HEADER_LENGTH) >> 2]! | 0) < 0) {
            return { kind: "refused", offset: at };
          }
          return { kind: "done", interrupted: this.#interrupted || (flags & NLM_F_DUMP_INTR) !== 0 };
        }
      } else if (length < ROW_LENGTH) {
        return { kind: "malformed", offset: at, need: ROW_LENGTH, have: length };
      }
      at += (length + 3) & ~3;
    }
    if (flags & NLM_F_DUMP_INTR) this.#interrupted = true;
    slab.length = at; // not `end`: a last message without its padding must not shift the next datagram
    return { kind: "more" };
  }
}
