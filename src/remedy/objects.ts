/** Sockets and processes as docs/json.md describes them: plain data, for JSON and for programs. */
import type { TcpSocket } from "../codec/tcp-socket.ts";
import type { Holder, HolderSearch } from "../linux/holders.ts";
import { interfaceName } from "../linux/interfaces.ts";
import type { ProcessFacts } from "../linux/process.ts";
import { userName } from "../linux/users.ts";
import { maskSecrets } from "../view/escape.ts";

/** A holder with the name of its program; that is absent if it has ended since. @public */
export type NamedHolder = Holder & { program: string | undefined };

/** @public */
export interface SocketObject extends Omit<TcpSocket, "interfaceIndex" | "cookie" | "cgroupId"> {
  /** The creator's name; null where the kernel keeps none. */
  user: string | null;
  /** The device it is bound to. */
  interface: string | null;
  /** Identifies the socket for its life, in decimal: 64 bits do not fit into a JSON number. null from /proc. */
  cookie: string | null;
  cgroupId?: string;
  /** Every holder; absent if nobody looked for them. */
  owners?: NamedHolder[];
}

export function socketObject(
  { interfaceIndex, cookie, cgroupId, uid, ...rest }: TcpSocket,
  search: HolderSearch | undefined,
  program: (pid: number) => string | undefined,
): SocketObject {
  return {
    ...rest,
    uid,
    user: uid === null ? null : userName(uid),
    interface: interfaceIndex === 0 ? null : interfaceName(interfaceIndex),
    cookie: cookie === 0n ? null : String(cookie),
    ...(cgroupId !== undefined && { cgroupId: String(cgroupId) }),
    ...(search && {
      owners: (search.holders.get(rest.inode) ?? []).map(({ pid, fd }) => ({ pid, fd, program: program(pid) })),
    }),
  };
}

/** Facts of a process; the values after password-, token- and key-like flags are masked. @public */
export interface ProcessObject extends Omit<ProcessFacts, "startedAtMs"> {
  /** ISO 8601. */
  startedAt: string;
}

export function processObject({ startedAtMs, arguments: commandLine, ...facts }: ProcessFacts): ProcessObject {
  return {
    ...facts,
    arguments: commandLine && maskSecrets(commandLine),
    startedAt: new Date(startedAtMs).toISOString(),
  };
}
