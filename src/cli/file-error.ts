/** A file that the command line named could not be read or written; `code` is the errno's name. */
export class FileError extends Error {
  override readonly name = "FileError";
  readonly code: string;

  /** `what`: "x.json can't be read"; `next`: what that means, or what to do. */
  constructor(what: string, cause: unknown, next: string) {
    const { code = "EIO", message, errno } = cause as NodeJS.ErrnoException;
    const why = /^\w+: ([^,]+)/.exec(message)?.[1] ?? message;
    super(`${what}: ${why} (${code}${errno === undefined ? "" : `, ${-errno}`}); ${next}`);
    this.code = code;
  }
}
