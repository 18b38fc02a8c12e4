import { readFileSync } from "node:fs";

/** An argument that names a file could not be read; `code` is the errno's name. */
class UnreadableFile extends Error {
  override readonly name = "UnreadableFile";
  constructor(
    message: string,
    readonly code: string,
  ) {
    super(message);
  }
}

/** How a file that an argument named is called in messages. */
export function inputName(file: string): string {
  return file === "-" ? "standard input" : file;
}

/** The text of a file that an argument named, `-` being standard input. `writtenBy` says which command makes such files. */
export function readInput(file: string, writtenBy: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    const { code = "EIO", message } = error as NodeJS.ErrnoException;
    const why = /^\w+: ([^,]+)/.exec(message)?.[1] ?? message;
    throw new UnreadableFile(`${inputName(file)} can't be read: ${why} (${code}); ${writtenBy}`, code);
  }
}
