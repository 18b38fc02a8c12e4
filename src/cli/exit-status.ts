import { signalNumber } from "../sys/index.ts";

/** The exit statuses of every command; docs/errors.md lists them. */
export const EXIT = {
  /** yes, clean, done */
  ok: 0,
  /** the answer is no, or the kernel refused what was asked */
  no: 1,
  /** the command line could not be understood */
  usage: 2,
  /** a permission or a capability is missing */
  permission: 3,
  /** an error of lastack's own */
  internal: 70,
} as const;

/** The exit status that shells show for what a signal has ended: 130 for Ctrl-C, 143 for SIGTERM. */
export function statusOfSignal(signal: NodeJS.Signals): number {
  return 128 + signalNumber(signal);
}

/** A command line that can't be understood. The message says what was wrong and what would be right. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Refusals that more privileges would lift, or another system. */
const PERMISSION = new Set(["EPERM", "EACCES", "ENOSYS"]);

/** The exit status for an error, whoever threw it: by its `code`, never by its text. */
export function exitStatusOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== "string") return EXIT.internal;
  if (PERMISSION.has(code)) return EXIT.permission;
  return code.startsWith("ERR_") ? EXIT.internal : EXIT.no;
}
