/** Results of calls as Linux gives them. */
import type { Failure, Success } from "../call/call.ts";
import { ERRNO, errnoName } from "../call/errno.ts";

export function success(value = 0, more: Partial<Success> = {}): Success {
  return { ok: true, value, ...more };
}

export function failure(code: keyof typeof ERRNO): Failure {
  return { ok: false, errno: ERRNO[code], code };
}

export function failureOf(errno: number): Failure {
  return { ok: false, errno, code: errnoName(errno) };
}
