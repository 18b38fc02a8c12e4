import { realpathSync } from "node:fs";
import { join } from "node:path";
import type { Remedy } from "../diagnose/finding.ts";
import { escapeControls, escapeForTerminal } from "../view/escape.ts";

/** A word as a shell reads it back, harmless for a terminal: control characters become escapes inside of `$'…'`. */
export function shellWord(word: string): string {
  if (/^[\w./:=@%+-]+$/.test(word)) return word;
  if (escapeControls(word) !== word) return `$'${escapeForTerminal(word).replaceAll("'", "\\'")}'`;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function isSame(path: string, other: string): boolean {
  try {
    return realpathSync(path) === realpathSync(other);
  } catch {
    return false;
  }
}

/** True if a shell finds this very program when `lastack` is typed: not from a clone, nor where npx has put it into PATH. */
function isInPath(script: string): boolean {
  const directories = (process.env["PATH"] ?? "")
    .split(":")
    .filter((directory) => !directory.endsWith("node_modules/.bin"));
  return directories.some((directory) => isSame(join(directory, "lastack"), script));
}

/**
 * A remedy's command as it can be typed here: `lastack` by absolute paths where it would not be found, and always behind
 * sudo, since root's PATH may know neither Node nor lastack.
 */
export function typed(command: readonly string[]): string[] {
  const script = process.argv[1]!;
  const at = command[0] === "sudo" ? 1 : 0;
  if (command[at] !== "lastack" || (at === 0 && isInPath(script))) return [...command];
  return [...command.slice(0, at), process.execPath, script, ...command.slice(at + 1)];
}

/** The same for a remedy of JSON. */
export function typedRemedy(remedy: Remedy): Remedy {
  return remedy.command ? { ...remedy, command: typed(remedy.command) } : remedy;
}

/** This command line as root would type it: with absolute paths, since root's PATH may know neither Node nor lastack. */
export function asRoot(): string {
  return `sudo ${[process.execPath, ...process.argv.slice(1)].map(shellWord).join(" ")}`;
}
