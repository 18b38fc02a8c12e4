import { explain, type Explanation } from "../remedy/explanation.ts";
import { look } from "../remedy/look.ts";
import { asksOf, type Where } from "./where.ts";

/** @public */
export interface WhyOptions {
  /**
   * Makes one bind, undone at once, where the lists of sockets leave the answer open. For some microseconds another
   * program that binds there may be refused. By default true.
   */
  probe?: boolean;
}

/**
 * Whether a port can be bound, what keeps it, who has it, until when, and what helps: what `lastack why` says.
 *
 * Throws `SyscallError` or `NetlinkError` if the kernel refuses to list its sockets.
 *
 * @public
 */
export function why(where: number | Where, { probe = true }: WhyOptions = {}): Explanation {
  return explain(look(asksOf(where), { probe }));
}
