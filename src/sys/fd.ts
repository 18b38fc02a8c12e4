import { EBADF } from "./constants.ts";
import { SyscallError } from "./error.ts";
import { libc } from "./ffi.ts";

/**
 * A descriptor with one owner: closed once, and unusable from then on. Without this a number that the kernel has given
 * to somebody else would be closed or written to.
 */
export class Fd {
  #number: number;

  /** Takes ownership of an open descriptor. */
  constructor(number: number) {
    this.#number = number;
  }

  /** The descriptor's number; throws `SyscallError EBADF` once it is closed or released. */
  get number(): number {
    if (this.#number < 0) throw new SyscallError("use of a closed descriptor", EBADF);
    return this.#number;
  }

  get closed(): boolean {
    return this.#number < 0;
  }

  /** Gives the number away: the caller owns it now. */
  release(): number {
    const number = this.number;
    this.#number = -1;
    return number;
  }

  /**
   * Closes the descriptor; later calls do nothing. Errors of close(2) are not reported: on Linux the descriptor is gone
   * whatever it returns (fs/open.c, `close`).
   */
  close(): void {
    if (this.#number >= 0) libc.close(this.release());
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
