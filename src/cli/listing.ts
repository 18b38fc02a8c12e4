/** A table of sockets as text: the kernel's rows, who holds them, and what could not be seen. */
import { hidingTexts } from "../diagnose/words.ts";
import { findHolders, mayBeHidden, unreadableUsers, type HolderSearch } from "../linux/holders.ts";
import { interfaceName } from "../linux/interfaces.ts";
import { programName } from "../linux/process.ts";
import { eachRow, inodeAt, type SocketTable } from "../linux/socket-table.ts";
import { userName } from "../linux/users.ts";
import { asBytes, putBytes, putDecimal, SPACE } from "../view/bytes.ts";
import { escapeForTerminal } from "../view/escape.ts";
import { asRoot } from "./as-root.ts";
import { cached } from "./cached.ts";
import { FIXED_WIDTHS, SocketRows, type RowContext } from "../view/socket-rows.ts";

/** Every holder of every socket of the table. */
export function holdersOf(table: SocketTable): HolderSearch {
  const inodes = new Set<number>();
  eachRow(table, (bytes, at) => {
    const inode = inodeAt(bytes, at);
    if (inode !== 0) inodes.add(inode);
  });
  return findHolders(inodes);
}

const NOBODY = asBytes("-");
const HIDDEN = asBytes("?");
const FD = asBytes(",fd=");
const [OPEN, CLOSE] = asBytes("()") as Iterable<number>;
const NUMBERS_ROOM = 32;

/** `node(4242,fd=18)`, several with a space between, `-` for nobody, `?` for a process that may not be read. */
function ownerText(search: HolderSearch): NonNullable<RowContext["owners"]> {
  const program = cached((pid) => asBytes(escapeForTerminal(programName(pid) ?? "?")));
  return {
    room: (inode) =>
      (search.holders.get(inode) ?? []).reduce((sum, { pid }) => sum + program(pid).length + NUMBERS_ROOM, 1),
    put(out, at, inode) {
      const holders = search.holders.get(inode);
      if (!holders) return putBytes(out, at, inode !== 0 && mayBeHidden(search) ? HIDDEN : NOBODY);
      for (const [i, { pid, fd }] of holders.entries()) {
        if (i > 0) out[at++] = SPACE;
        at = putBytes(out, at, program(pid));
        out[at++] = OPEN!;
        at = putDecimal(out, putBytes(out, putDecimal(out, at, pid), FD), fd);
        out[at++] = CLOSE!;
      }
      return at;
    },
  };
}

export interface ListingOptions {
  /** undefined: without the owner column. */
  search?: HolderSearch | undefined;
  /** Fit the columns to the rows and cut lines at this width; undefined: fixed columns, whole lines. */
  terminalWidth?: number | undefined;
  /** With `terminalWidth`: do not cut. */
  wide?: boolean;
}

/** Writes the table as text to `sink`. Returns the number of rows. */
export function listSockets(table: SocketTable, options: ListingOptions, sink: (text: Uint8Array) => void): number {
  const context: RowContext = {
    user: cached((uid) => asBytes(escapeForTerminal(userName(uid)))),
    interfaceName: cached((index) => asBytes(escapeForTerminal(interfaceName(index)))),
    ...(options.search && { owners: ownerText(options.search) }),
  };
  let widths = FIXED_WIDTHS;
  let write = sink;
  if (options.terminalWidth !== undefined) {
    const measure = new SocketRows(context, FIXED_WIDTHS);
    for (const { bytes, length } of table.slabs) measure.append(bytes, length, () => {});
    widths = measure.widest;
    if (!options.wide) write = (text) => sink(cutLines(text, options.terminalWidth!));
  }
  const rows = new SocketRows(context, widths);
  rows.heading();
  let count = 0;
  for (const { bytes, length } of table.slabs) count += rows.append(bytes, length, write);
  write(rows.take());
  return count;
}

/** Lines longer than `width` characters end in an ellipsis. `text` holds whole lines. */
function cutLines(text: Uint8Array, width: number): Uint8Array {
  const lines = Buffer.from(text.buffer, text.byteOffset, text.length).toString().split("\n");
  return Buffer.from(lines.map((line) => (line.length > width ? `${line.slice(0, width - 1)}…` : line)).join("\n"));
}

/** Sentences about what the table and the search could not see, each to be told on standard error. */
export function shortcomings(table: SocketTable, search: HolderSearch | undefined): string[] {
  const sentences: string[] = [];
  if (table.denied !== undefined) {
    sentences.push(
      `netlink was refused (${table.denied}): read from ${table.source}, which leaves out sockets that are only bound,` +
        " devices, the limits of listeners' queues, and whether :: takes IPv4 too",
    );
  }
  if (table.interrupted) sentences.push("the table changed while it was read: rows may be missing or double");
  if (search && search.missing > 0 && mayBeHidden(search)) {
    const reasons = hidingTexts({ unreadable: unreadableUsers(search), hidden: search.hidden });
    const more = process.getuid?.() === 0 ? "" : `. To see all: ${asRoot()}`;
    sentences.push(`${escapeForTerminal(reasons.join("; "))}; an owner shown as ? may be one of them${more}`);
  }
  return sentences;
}
