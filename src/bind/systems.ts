/**
 * Binding on other systems, from their documents: FreeBSD's and macOS's setsockopt(2) and in_pcb.c, Microsoft's "Using
 * SO_REUSEADDR and SO_EXCLUSIVEADDRUSE". Nothing of this has been run.
 */
import { isWildcard, overlaps } from "./address.ts";
import type { Answer } from "./answer.ts";
import { socketOf, type Draft, type DraftBucket, type DraftSocket } from "./draft.ts";
import type { RuleName } from "./rules.ts";
import { PLAIN_HOST, type Host, type System } from "./state.ts";

const DEFAULTS: Record<System, Partial<Host>> = {
  linux: {},
  macos: { portRange: [49_152, 65_535] },
  freebsd: { portRange: [10_000, 65_535], bindIpv6Only: true },
  windows: { portRange: [49_152, 65_535], bindIpv6Only: true, unprivilegedPortStart: 0 },
};

/** A host as this system starts. */
export function plainHost(system: System): Host {
  return { ...PLAIN_HOST, ...DEFAULTS[system], system };
}

/** The options that these systems have, of those that matter here. */
const OPTIONS: Record<Exclude<System, "linux">, readonly string[]> = {
  macos: ["SO_REUSEADDR", "SO_REUSEPORT", "SO_LINGER", "IPV6_V6ONLY"],
  freebsd: ["SO_REUSEADDR", "SO_REUSEPORT", "SO_LINGER", "IPV6_V6ONLY"],
  windows: ["SO_REUSEADDR", "SO_LINGER", "IPV6_V6ONLY"],
};

export function hasOption(system: System, option: string): boolean {
  return system === "linux" || OPTIONS[system].includes(option);
}

/** A refusal of a port, and who is the reason. */
export interface Refusal {
  code: "EADDRINUSE" | "EACCES";
  rule: RuleName;
  sockets: string[];
}

function othersAt(draft: Draft, socket: DraftSocket, bucket: DraftBucket | undefined): DraftSocket[] {
  const ids = bucket?.places.flatMap(({ owners }) => owners) ?? [];
  return ids
    .map((id) => socketOf(draft, id))
    .filter((other) => other !== socket && (overlaps(socket, other) || overlaps(other, socket)));
}

const isConnected = ({ state }: DraftSocket) => state !== "CLOSED" && state !== "LISTEN";
const isSameAddress = (one: DraftSocket, other: DraftSocket) => isWildcard(one.address) === isWildcard(other.address);

/** in_pcbbind_setup: SO_REUSEADDR of the newcomer leaves only who is bound, unconnected, to the very same address. */
function bsd(socket: DraftSocket, others: readonly DraftSocket[]): Refusal | undefined {
  const isLenient = socket.reuseAddress === true || socket.reusePort === true;
  const standing = others.filter((other) => {
    if (isLenient && (isConnected(other) || !isSameAddress(socket, other))) return false;
    return !(socket.reusePort && other.reusePort && (socket.uid === 0 || socket.uid === other.uid));
  });
  if (standing.length === 0) return undefined;
  return { code: "EADDRINUSE", rule: "in use (BSD)", sockets: standing.map(({ id }) => id) };
}

/** The table of the document, without its columns for SO_EXCLUSIVEADDRUSE; connections do not count. */
function windows(socket: DraftSocket, others: readonly DraftSocket[]): Refusal | undefined {
  for (const other of others.filter((one) => !isConnected(one))) {
    const sockets = [other.id];
    if (!isSameAddress(socket, other)) {
      const isHidden = isWildcard(other.address) && socket.uid !== other.uid;
      if (isHidden && !other.reuseAddress) return { code: "EACCES", rule: "another user's (Windows)", sockets };
    } else if (!socket.reuseAddress) {
      return { code: "EADDRINUSE", rule: "in use (Windows)", sockets };
    } else if (!other.reuseAddress) {
      return { code: "EACCES", rule: "not shared (Windows)", sockets };
    }
  }
  return undefined;
}

/** Why the system refuses this port; undefined if it does not. */
export function refusalOf(draft: Draft, socket: DraftSocket, bucket: DraftBucket | undefined): Refusal | undefined {
  const others = othersAt(draft, socket, bucket);
  return draft.host.system === "windows" ? windows(socket, others) : bsd(socket, others);
}

const BSD: Record<string, number> = {
  EACCES: 13,
  ENODEV: 19,
  EINVAL: 22,
  ENOPROTOOPT: 42,
  EAFNOSUPPORT: 47,
  EADDRINUSE: 48,
  EADDRNOTAVAIL: 49,
  ENETUNREACH: 51,
  ECONNABORTED: 53,
  EISCONN: 56,
  ENOTCONN: 57,
  ECONNREFUSED: 61,
};
const WINDOWS: Record<string, number> = {
  EACCES: 10_013,
  ENODEV: 10_049,
  EINVAL: 10_022,
  ENOPROTOOPT: 10_042,
  EAFNOSUPPORT: 10_047,
  EADDRINUSE: 10_048,
  EADDRNOTAVAIL: 10_049,
  ENETUNREACH: 10_051,
  ECONNABORTED: 10_053,
  EISCONN: 10_056,
  ENOTCONN: 10_057,
  ECONNREFUSED: 10_061,
};
const NUMBERS = { macos: BSD, freebsd: BSD, windows: WINDOWS };

/** The answer with the system's own number for the error; one from a document says so. */
export function asOf(system: System, answer: Answer): Answer {
  if (system === "linux") return answer;
  const errno = answer.code === undefined ? undefined : NUMBERS[system][answer.code];
  return { ...answer, basis: "documents", ...(errno !== undefined && { errno }) };
}
