/** What both programs share: one line a step, messages of 20 bytes, and system calls that tell their outcome. */
import { SyscallError } from "../sys/index.ts";

/** Where a program's lines go. */
export type Say = (line: string) => void;

/** The tutorial's `char sendMsg[20] = "I am client"`: every message is 20 bytes, the rest of them NUL. */
export const MESSAGE_LENGTH = 20;

/** `text` as a message. Its UTF-8 must leave room for one NUL, as C's string functions need it. */
export function encodeMessage(text: string): Uint8Array {
  const bytes = new Uint8Array(MESSAGE_LENGTH);
  bytes.set(Buffer.from(text).subarray(0, MESSAGE_LENGTH - 1));
  return bytes;
}

/** What `printf("%s")` prints of a message: the bytes up to the first NUL. */
export function messageText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString();
}

/** A step that the kernel refused: it ends the program. */
export class StepFailed extends Error {
  override readonly name = "StepFailed";
  readonly errno: number;
  readonly code: string;
  constructor(
    /** The step as it would have been told, `bind 0.0.0.0:8000`. */
    readonly step: string,
    override readonly cause: SyscallError,
  ) {
    super(`${step} ${cause.code} (${cause.errno})`);
    this.errno = cause.errno;
    this.code = cause.code;
  }
}

/** Makes a system call and tells it: `bind 0.0.0.0:8000 ok`. */
export function step<T>(say: Say, name: string, call: () => T): T {
  try {
    const result = call();
    say(`${name} ok`);
    return result;
  } catch (error) {
    throw error instanceof SyscallError ? new StepFailed(name, error) : error;
  }
}

/** What happens less often than this is told each time. */
const SELDOM_MS = 100;

/**
 * Tells of what happens again and again, thousands of times a second perhaps: the first time by a line of its own, then
 * at most once a second how often it has happened since.
 */
export class Repetition {
  /** Not told yet. */
  #bytes = 0;
  #since = Number.NEGATIVE_INFINITY;

  constructor(private readonly say: Say) {}

  happened(line: string, bytes: number): void {
    const now = performance.now();
    if (this.#bytes === 0 && now - this.#since >= SELDOM_MS) {
      this.#since = now;
      this.say(line);
      this.#bytes = Math.max(0, bytes - MESSAGE_LENGTH); // a read takes all that has come
      return;
    }
    this.#bytes += bytes;
    if (now - this.#since >= 1000) this.flush(line, now);
  }

  /** Tells what has not been told. */
  flush(line: string, now = performance.now()): void {
    if (this.#bytes > 0) {
      const messages = Math.max(1, Math.round(this.#bytes / MESSAGE_LENGTH));
      const times = messages === 1 ? "once" : `${messages} times`;
      const seconds = ((now - this.#since) / 1000).toFixed(1);
      this.say(`${line}  (${times} more in ${seconds} s, ${this.#bytes} bytes)`);
    }
    this.#since = now;
    this.#bytes = 0;
  }
}
