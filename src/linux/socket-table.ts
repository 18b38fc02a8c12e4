/** A table of sockets as the kernel wrote it: netlink messages back to back, read in place. */
import { describeDecodeError } from "../codec/decoded.ts";
import { decodeInetDiagMessage, INET_DIAG_MSG, type InetDiagMessage } from "../codec/inet-diag.ts";
import { align4, NLMSG, NLMSG_HEADER_LENGTH, NLMSG_OVERRUN } from "../codec/nlmsg.ts";
import type { Slab } from "./dump.ts";

/** Sockets as the kernel wrote them. */
export interface SocketTable {
  slabs: readonly Slab[];
  source: "sock_diag" | "/proc/net/tcp";
  /** Why netlink was not used. */
  denied?: string;
  /** The table changed while it was read: rows may be missing or double. */
  interrupted: boolean;
}

/** A socket's bytes: the message begins at `at` (its netlink header before it is left out) and ends before `end`. */
type RowVisitor = (bytes: Uint8Array, at: number, end: number) => void;

/** Calls `visit` for every row. The lengths were checked when the table was read. */
export function eachRow(table: Pick<SocketTable, "slabs">, visit: RowVisitor): void {
  for (const { bytes, length } of table.slabs) {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    for (let at = 0; at < length;) {
      const size = words[at >> 2]!;
      if ((words[(at + NLMSG.type) >> 2]! & 0xffff) > NLMSG_OVERRUN) visit(bytes, at + NLMSG_HEADER_LENGTH, at + size);
      at += align4(size);
    }
  }
}

function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

export function inodeAt(bytes: Uint8Array, at: number): number {
  return u32(bytes, at + INET_DIAG_MSG.inode);
}

export function uidAt(bytes: Uint8Array, at: number): number {
  return u32(bytes, at + INET_DIAG_MSG.uid);
}

/** The rows for which `keep` is true, as a table of their own. */
export function filterRows(
  table: SocketTable,
  keep: (bytes: Uint8Array, at: number, end: number) => boolean,
): SocketTable {
  const slabs: SocketTable["slabs"][number][] = [];
  eachRow(table, (bytes, at, end) => {
    if (!keep(bytes, at, end)) return;
    const row = bytes.slice(at - NLMSG_HEADER_LENGTH, align4(end));
    slabs.push({ bytes: row, length: row.length });
  });
  return { ...table, slabs };
}

/** The table's rows, decoded. */
export function decodeRows(table: Pick<SocketTable, "slabs">): InetDiagMessage[] {
  const sockets: InetDiagMessage[] = [];
  eachRow(table, (bytes, at, end) => {
    const message = decodeInetDiagMessage(bytes.subarray(at, end));
    if (!message.ok) throw new Error(`the kernel's answer is malformed: ${describeDecodeError(message.error)}`);
    sockets.push(message.value);
  });
  return sockets;
}
