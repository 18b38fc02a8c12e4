/** A system's refusal in the form of all others: `EACCES (13): permission denied`. Node's message is without the number. */
export function errnoText(cause: unknown): string {
  const { code = "EIO", message, errno } = cause as NodeJS.ErrnoException;
  const meaning = /^\w+: ([^,]+)/.exec(message)?.[1] ?? message;
  return `${code}${errno === undefined ? "" : ` (${-errno})`}: ${meaning}`;
}

/** A file that the command line named could not be read or written; `code` is the errno's name. */
export class FileError extends Error {
  override readonly name = "FileError";
  readonly code: string;

  /** `what`: "x.json can't be read"; `next`: what that means, or what to do. */
  constructor(what: string, cause: unknown, next: string) {
    super(`${what}: ${errnoText(cause)}; ${next}`);
    this.code = (cause as NodeJS.ErrnoException).code ?? "EIO";
  }
}

/** A file, or standard output, that took only a part of what was to be written. */
export class IncompleteFile extends FileError {
  constructor(file: string, cause: unknown) {
    super(`${file} can't be written`, cause, "what it holds now is not all of it");
  }
}
