/** Why an address that is not the one asked for stands in the way; and ports that two could share, and do not. */
import { formatZoned, isUnspecified, isV4Mapped, parseIp } from "../codec/address.ts";
import type { BindRequest, Facts, PortSocket } from "./facts.ts";
import type { Finding } from "./finding.ts";
import { endProcesses } from "./remedies.ts";
import { holdersOf, listText, localText, processText } from "./words.ts";

const isV4 = (address: Uint8Array) => address.length === 4;

/** A dual-stack wildcard is listed as `*`. */
function localBytes({ local }: PortSocket): Uint8Array {
  return local.address === "*" ? new Uint8Array(16) : parseIp(local.address)!;
}

type Overlap = "dual-stack" | "v4-mapped" | "wildcard" | "same";

/** In which way two overlapping addresses do. */
function kindOf(asked: Uint8Array, held: Uint8Array): Overlap {
  if (isV4Mapped(asked) || isV4Mapped(held)) return isV4(asked) === isV4(held) ? "same" : "v4-mapped";
  if (isV4(asked) !== isV4(held)) return "dual-stack";
  return isUnspecified(asked) === isUnspecified(held) ? "same" : "wildcard";
}

function overlapFinding(kind: Exclude<Overlap, "same">, request: BindRequest, sockets: readonly PortSocket[]): Finding {
  const asked = formatZoned(request);
  const held = listText([...new Set(sockets.map(localText))]);
  const finding = (headline: string, detail: string, what: string): Finding => ({
    cause: kind,
    blocks: false,
    headline,
    detail: [detail],
    sockets,
    remedies: [{ what }],
  });
  switch (kind) {
    case "dual-stack":
      return finding(
        `${asked} overlaps ${held}: an IPv6 socket on :: takes IPv4 too`,
        "in either order: it is IPV6_V6ONLY that keeps the two families apart",
        "set IPV6_V6ONLY on the IPv6 socket (Node: ipv6Only: true), or bind one family only",
      );
    case "v4-mapped":
      return finding(
        `${held} and ${asked} are one address: ::ffff:a.b.c.d is a.b.c.d`,
        "an IPv6 socket with a v4-mapped address speaks IPv4",
        "bind the IPv4 address itself, and once",
      );
    case "wildcard":
      return finding(
        `${asked} overlaps ${held}: the wildcard stands for every address`,
        "while one listens, neither SO_REUSEADDR on one side nor on both lets the other in on Linux",
        "bind an address that nobody has, such as 127.0.0.2, or one of both to its own address instead of the wildcard",
      );
  }
}

/** From what needs no explanation to what needs most. */
const KINDS = ["same", "wildcard", "v4-mapped", "dual-stack"] as const;

/** Refused requests with the sockets that refuse them. */
export type Refusals = readonly { request: BindRequest; blockers: readonly PortSocket[] }[];

/** The simplest way in which a socket overlaps a request that it refuses. */
function simplest(socket: PortSocket, refusals: Refusals): { kind: Overlap; request: BindRequest } | undefined {
  return refusals
    .filter(({ blockers }) => blockers.includes(socket))
    .map(({ request }) => ({ request, kind: kindOf(request.address, localBytes(socket)) }))
    .sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind))[0];
}

/** One finding for each way in which addresses overlap that are not the same. */
export function overlapFindings(refusals: Refusals): Finding[] {
  // Of a connection its state says more than its address.
  const judged = [...new Set(refusals.flatMap(({ blockers }) => blockers))]
    .filter(({ state }) => state === "LISTEN" || state === "BOUND")
    .map((socket) => ({ socket, ...simplest(socket, refusals)! }));
  return (["wildcard", "v4-mapped", "dual-stack"] as const).flatMap((kind) => {
    const some = judged.filter((one) => one.kind === kind);
    const sockets = some.map(({ socket }) => socket);
    return some.length > 0 ? [overlapFinding(kind, some[0]!.request, sockets)] : [];
  });
}

/** SO_REUSEPORT is asked for, and a socket on the port has another user or not the option. */
export function reusePortFindings(facts: Facts, request: BindRequest, blockers: readonly PortSocket[]): Finding[] {
  if (!request.reusePort) return [];
  const without = blockers.filter(({ options }) => options?.reusePort === false);
  const foreign = blockers.filter(({ uid, state }) => state !== "TIME-WAIT" && uid !== null && uid !== request.uid);
  const sockets = [...new Set([...without, ...foreign])];
  if (sockets.length === 0) return [];
  const whose = holdersOf(facts, sockets).map(processText);
  const reasons = [
    ...(without.length > 0 ? [`${listText(whose) || "the other side"} has not set SO_REUSEPORT`] : []),
    ...(foreign.length > 0
      ? [
          `its sockets were made by user ${listText([...new Set(foreign.map(({ uid }) => facts.users(uid!)))])}, ` +
            `and this one would be by ${facts.users(request.uid)}`,
        ]
      : []),
  ];
  return [
    {
      cause: "reuse-port-mismatch",
      blocks: true,
      headline: `SO_REUSEPORT shares a port only among sockets that all have it, of one user: ${listText(reasons)}`,
      detail: [],
      sockets,
      remedies: [
        { what: "set SO_REUSEPORT in every program before its bind, and run them as one user" },
        ...endProcesses(facts, holdersOf(facts, sockets)),
      ],
    },
  ];
}
