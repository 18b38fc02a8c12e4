import { errnoName } from "../sys/index.ts";

/** The kernel's refusal of a netlink request. `errno` is positive, `text` the kernel's own sentence if it gave one. */
export class NetlinkError extends Error {
  override readonly name = "NetlinkError";
  readonly code: string;
  constructor(
    readonly request: string,
    readonly errno: number,
    readonly text?: string,
  ) {
    const code = errnoName(errno);
    super(`${request}: ${code} (${errno})${text ? `: ${text}` : ""}`);
    this.code = code;
  }
}
