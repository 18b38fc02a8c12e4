/** Errno names and numbers of this system. Looked up when an error happens: `node:os` is not free to load. */
function errnoConstants(): Record<string, number> {
  return process.getBuiltinModule("node:os").constants.errno;
}

let names: Map<number, string> | undefined;

/** The name of an errno on this system, for example `98 -> "EADDRINUSE"`; `"errno N"` for a number without one. */
export function errnoName(errno: number): string {
  names ??= new Map(
    // EAGAIN and ENOTSUP share numbers with EWOULDBLOCK and EOPNOTSUPP: the kernel's own spelling wins.
    Object.entries(errnoConstants())
      .filter(([name]) => name !== "EWOULDBLOCK" && name !== "ENOTSUP")
      .map(([name, number]) => [number, name]),
  );
  return names.get(errno) ?? `errno ${errno}`;
}

/** The number of an errno's name on this system, for example `"EADDRINUSE" -> 98`. */
export function errnoNumber(name: string): number {
  return errnoConstants()[name]!;
}

/** A system call that the kernel refused. `errno` is positive, `code` its name (`"EADDRINUSE"`). */
export class SyscallError extends Error {
  override readonly name = "SyscallError";
  readonly code: string;
  constructor(
    readonly syscall: string,
    readonly errno: number,
    /** What it was about, such as a path: for the message. */
    about = "",
  ) {
    const code = errnoName(errno);
    super(`${syscall}${about && ` ${about}`}: ${code} (${errno})`);
    this.code = code;
  }
}

/** A system call on a system that is not Linux: none is made, since numbers and structures are Linux's. */
export class NotLinux extends Error {
  override readonly name = "NotLinux";
  readonly code = "ENOSYS";
  constructor() {
    super(
      `this asks the kernel of Linux, and the system is ${process.platform} (ENOSYS). What needs no kernel runs here: ` +
        "lab run --on model, prove, predict, view",
    );
  }
}

/** `result` if the call succeeded; throws {@link SyscallError} if it is `-errno`, as the `try…` calls return it. */
export function orThrow(syscall: string, result: number, about?: string): number {
  if (result < 0) throw new SyscallError(syscall, -result, about);
  return result;
}

/** The number of a signal's name on this system, for example `"SIGTERM" -> 15`. */
export function signalNumber(name: string): number {
  return (process.getBuiltinModule("node:os").constants.signals as Record<string, number>)[name]!;
}

/** The name of a signal, `"signal N"` for a number without one. */
export function signalName(number: number): string {
  const { signals } = process.getBuiltinModule("node:os").constants;
  return Object.entries(signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`;
}
