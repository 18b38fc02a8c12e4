/** The name of the system's refusal. What Node refuses itself (ERR_…) is a file that no text can hold. */
function codeOf(cause: unknown): string {
  const { code = "EIO" } = cause as NodeJS.ErrnoException;
  return code.startsWith("ERR_") ? "EFBIG" : code;
}

/** A system's refusal in the form of all others: `EACCES (13): permission denied`. Node's message is without the number. */
export function errnoText(cause: unknown): string {
  const code = codeOf(cause);
  if (code === "EFBIG") return "EFBIG (27): file too large";
  const { message, errno } = cause as NodeJS.ErrnoException;
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
    this.code = codeOf(cause);
  }
}

/** A file, or standard output, that could not be written, or took only a part. */
export class IncompleteFile extends FileError {
  constructor(file: string, cause: unknown) {
    const isOpen = (cause as NodeJS.ErrnoException).syscall !== "open";
    super(`${file} can't be written`, cause, isOpen ? "what it holds now is not all of it" : "nothing has been");
  }
}
