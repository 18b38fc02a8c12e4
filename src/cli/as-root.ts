import { escapeControls, escapeForTerminal } from "../view/escape.ts";

/** A word as a shell reads it back, harmless for a terminal: control characters become escapes inside of `$'…'`. */
export function shellWord(word: string): string {
  if (/^[\w./:=@%+-]+$/.test(word)) return word;
  if (escapeControls(word) !== word) return `$'${escapeForTerminal(word).replaceAll("'", "\\'")}'`;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** This command line as root would type it: with absolute paths, since root's PATH may know neither Node nor lastack. */
export function asRoot(): string {
  return `sudo ${[process.execPath, ...process.argv.slice(1)].map(shellWord).join(" ")}`;
}
