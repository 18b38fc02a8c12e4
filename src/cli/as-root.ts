function shellWord(word: string): string {
  return /^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** This command line as root would type it: with absolute paths, since root's PATH may know neither Node nor lastack. */
export function asRoot(): string {
  return `sudo ${[process.execPath, ...process.argv.slice(1)].map(shellWord).join(" ")}`;
}
