/** Writing to the standard streams: at once and whole, without the cost of `process.stdout`. */
import { writeSync } from "node:fs";
import { Fd, poll, POLLOUT, tryIoctl } from "../sys/index.ts";
import { IncompleteFile } from "./file-error.ts";

/** The reader of our output has gone: there is nobody left to tell, so this ends the command quietly. */
export class ClosedOutput extends Error {
  override readonly name = "ClosedOutput";
}

const TIOCGWINSZ = 0x5413; // include/uapi/asm-generic/ioctls.h

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") throw new ClosedOutput();
      if (code !== "EAGAIN") throw new IncompleteFile(`standard ${descriptor === 1 ? "output" : "error"}`, error);
      // A pipe that somebody made non-blocking, and that is full.
      poll([{ fd: new Fd(descriptor), events: POLLOUT }], -1);
    }
  }
}

function asBytes(text: string | Uint8Array): Uint8Array {
  return typeof text === "string" ? Buffer.from(text) : text;
}

export function writeOut(text: string | Uint8Array): void {
  writeAll(1, asBytes(text));
}

export function writeErr(text: string | Uint8Array): void {
  writeAll(2, asBytes(text));
}

/**
 * The same, for commands whose exit status is an answer, or that have begun what they bring to its end: whether somebody
 * reads what they say changes neither. False if nobody does any more.
 */
function unlessClosed(write: () => void): boolean {
  try {
    write();
    return true;
  } catch (error) {
    if (!(error instanceof ClosedOutput)) throw error;
    return false;
  }
}

export const sayOut = (text: string | Uint8Array): boolean => unlessClosed(() => writeOut(text));

/** What standard error does not take, for whatever reason, nobody can be told. */
export function sayErr(text: string): void {
  try {
    writeErr(text);
  } catch {}
}

/** True if this descriptor is a terminal. */
export function isTerminal(descriptor: 0 | 1 | 2): boolean {
  return tryIoctl(new Fd(descriptor), TIOCGWINSZ, new Uint8Array(8)) >= 0; // else ENOTTY
}

/**
 * The width of the terminal that the descriptor, standard output without, is, in columns; undefined if it is none.
 * (`node:tty` would tell too, but loads streams and sockets first: 3 ms.)
 */
export function terminalWidth(descriptor: 1 | 2 = 1): number | undefined {
  const size = new Uint8Array(8); // struct winsize: rows, columns, …
  if (tryIoctl(new Fd(descriptor), TIOCGWINSZ, size) < 0) return undefined; // ENOTTY
  return new DataView(size.buffer).getUint16(2, true) || 80;
}
