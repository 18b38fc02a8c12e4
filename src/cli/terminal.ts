/** The terminal as Node knows it: for commands that need no system call of ours, and so no FFI. */
import { isatty, WriteStream } from "node:tty";

let columns: number | undefined;

/** The width of the terminal that standard output is, in columns, as it was when first asked for; undefined if it is none. */
export function terminalColumns(): number | undefined {
  if (!isatty(1)) return undefined;
  columns ??= new WriteStream(1).columns || 80;
  return columns;
}

/** True if standard error is a terminal. */
export const isErrTerminal = (): boolean => isatty(2);
