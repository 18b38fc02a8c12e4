/** Connections: what is left of them when their listener is gone, and what an outgoing one does to a port. */
import type { Facts, PortSocket } from "./facts.ts";
import type { Cause, Finding, Remedy } from "./finding.ts";
import { ASKED } from "./asked.ts";
import { endProcesses, kill, remove, reuse, reuseAddress, sudo, wait } from "./remedies.ts";
import { supervisorOf } from "./supervisors.ts";
import { holdersOf, listText, localText, peerText, plural, processesText, spanText, wholeNumber } from "./words.ts";

/** The first shortest RTO of the kernel, milliseconds (TCP_RTO_MIN): what its give-up times are counted in. */
const RTO_MIN_MS = 200;

/** The peer did not answer for so long: then the kernel gives an orphan up (tcp_model_timeout, net/ipv4/tcp_timer.c). */
function orphanPatienceMs(retries: number): number {
  return ((2 << Math.min(retries, 9)) - 1) * RTO_MIN_MS;
}

const WILDCARDS: ReadonlySet<string> = new Set(["*", "::", "0.0.0.0"]);

/** Where there is a listener on the port, connections with it are its own business. */
function hasListener(facts: Facts): boolean {
  return facts.sockets.some(({ state }) => state === "LISTEN");
}

/** True for a connection that this host opened from the port, as far as that can be told. */
export function isOutgoing(facts: Facts, { local, peer, state }: PortSocket): boolean {
  const [least, most] = facts.settings.localPortRange;
  const ephemeral = (port: number) => port >= least && port <= most;
  if (state === "SYN-SENT") return true;
  return ephemeral(local.port) && !ephemeral(peer.port) && !hasListener(facts);
}

function causeOf(facts: Facts, socket: PortSocket): Cause | undefined {
  switch (socket.state) {
    case "TIME-WAIT":
      return "time-wait";
    case "FIN-WAIT-2":
      return socket.inode === 0 ? "orphan-fin-wait-2" : "half-closed";
    case "FIN-WAIT-1":
      return socket.timer?.kind === "persist" ? "unread-data" : "unanswered-close";
    case "LAST-ACK":
    case "CLOSING":
      return "unanswered-close";
    case "CLOSE-WAIT":
      return "close-wait";
    case "LISTEN":
    case "BOUND":
      return undefined;
    default:
      return isOutgoing(facts, socket) ? "outgoing-connection" : "leftover-connections";
  }
}

/** Who has these sockets, in words. */
function ownerText(facts: Facts, sockets: readonly PortSocket[]): string {
  const holders = holdersOf(facts, sockets);
  if (holders.length > 0) return processesText(holders);
  const uids = [...new Set(sockets.map(({ uid }) => uid))].filter((uid) => uid !== null);
  return uids.length > 0
    ? `a process that may not be looked into (user ${listText(uids.map(facts.users), "or")})`
    : "the kernel alone";
}

const ends = (facts: Facts, sockets: readonly PortSocket[]) =>
  facts.nowMs + Math.max(...sockets.map(({ timer }) => timer?.leftMs ?? 0));

const left = (facts: Facts, sockets: readonly PortSocket[]) => spanText(ends(facts, sockets) - facts.nowMs);

interface Told {
  headline: string;
  detail?: readonly string[];
  endsAtMs?: number;
  remedies: readonly Remedy[];
}

/** The programs' end, and at once that of the connections: closed by them, these would keep the port for another minute. */
function endAll(facts: Facts, sockets: readonly PortSocket[]): Remedy[] {
  const holders = holdersOf(facts, sockets);
  const mayFree = holders.every((process) => !supervisorOf(process)?.command);
  return mayFree ? [remove(facts, sockets)] : endProcesses(facts, holders);
}

const PREPARE = "let the program go on, and its sockets share the port";

const shorterS = ({ settings }: Facts) => Math.max(1, Math.floor(settings.finTimeoutS / 4));

type Teller = (facts: Facts, sockets: readonly PortSocket[], what: string) => Told;

const tellers: Partial<Record<Cause, Teller>> = {
  "time-wait": (facts, sockets, what) => ({
    headline: `${what} in TIME-WAIT, which no process holds, for ${left(facts, sockets)} more`,
    detail: ["this end closed first; TIME-WAIT lasts 60 s on Linux, whatever tcp_fin_timeout says"],
    endsAtMs: ends(facts, sockets),
    remedies: [wait(left(facts, sockets)), reuseAddress(sockets), remove(facts, sockets)],
  }),
  "orphan-fin-wait-2": (facts, sockets, what) => ({
    headline: `${what} closed here, and the peer does not close: FIN-WAIT-2 for ${left(facts, sockets)} more`,
    detail: ["no process holds it any more; if the peer closes meanwhile, 60 s of TIME-WAIT follow"],
    endsAtMs: ends(facts, sockets),
    remedies: [
      wait(left(facts, sockets)),
      reuseAddress(sockets),
      remove(facts, sockets),
      {
        what: "or let the kernel wait less for such peers",
        cost: "slow peers are cut off",
        command: [...sudo(facts, true), "sysctl", "-w", `net.ipv4.tcp_fin_timeout=${shorterS(facts)}`],
      },
    ],
  }),
  "half-closed": (facts, sockets, what) => ({
    headline: `${what} shut down for writing, not closed, by ${ownerText(facts, sockets)}: FIN-WAIT-2 without a limit`,
    detail: ["no timer runs: it ends when the peer closes, or when the program does"],
    remedies: [
      ...endAll(facts, sockets),
      ...reuse(facts, sockets, PREPARE),
      { what: "mend the program: close after shutdown(SHUT_WR), with a limit to how long it reads on" },
    ],
  }),
  "unread-data": (facts, sockets, what) => {
    const bytes = sockets.reduce((sum, { sendQueue }) => sum + sendQueue, 0);
    return {
      headline: `${what} closed with ${wholeNumber(bytes)} bytes unsent that the peer does not read: FIN-WAIT-1`,
      detail: [
        `the peer (${listText([...new Set(sockets.map(peerText))].slice(0, 3))}) answers, its window is zero: as long as it does, this stays`,
      ],
      remedies: [
        { what: "have the peer read or end: it is the one that stands still" },
        remove(facts, sockets),
        reuseAddress(sockets),
      ],
    };
  },
  "unanswered-close": (facts, sockets, what) => {
    const patienceMs = orphanPatienceMs(facts.settings.orphanRetries);
    const states = listText([...new Set(sockets.map(({ state }) => state))]);
    return {
      headline: `${what} closed, and the peer does not answer the FIN: ${states}`,
      detail: [
        `the FIN is sent again, ${sockets[0]!.timer?.retransmits ?? 0} times so far; ` +
          `the kernel gives up about ${spanText(patienceMs)} after the first time, or up to twice that`,
      ],
      remedies: [wait(`up to ${spanText(2 * patienceMs)}`), remove(facts, sockets), reuseAddress(sockets)],
    };
  },
  "close-wait": (facts, sockets, what) => {
    const quiet = sockets.map(({ quietMs }) => quietMs).filter((ms) => ms !== undefined);
    const fds = sockets.flatMap(({ holders }) => holders.map(({ pid, fd }) => `${fd} of pid ${pid}`));
    const since = quiet.length > 0 ? `; the last segment came ${spanText(Math.max(...quiet))} ago` : "";
    return {
      headline: `${what} that the peer has closed and ${ownerText(facts, sockets)} has not: CLOSE-WAIT without a limit`,
      detail: [
        `descriptor ${fds.slice(0, 5).join(", ") || "unknown"}${since}`,
        "no timer ends it and no setting of the kernel: the program has to call close",
      ],
      remedies: [
        ...endProcesses(facts, holdersOf(facts, sockets)),
        ...reuse(facts, sockets, PREPARE),
        { what: "mend the program: close when read says 0" },
        reuseAddress(sockets),
      ],
    };
  },
  "leftover-connections": (facts, sockets, what) => ({
    headline: `${what} still open, held by ${ownerText(facts, sockets)}, although nobody listens any more`,
    detail: [`with ${listText([...new Set(sockets.map(peerText))].slice(0, 5))}`],
    remedies: [...endAll(facts, sockets), ...reuse(facts, sockets, PREPARE), reuseAddress(sockets)],
  }),
  "outgoing-connection": (facts, sockets, what) => {
    const [least, most] = facts.settings.localPortRange;
    const inRange = facts.port >= least && facts.port <= most;
    const holders = holdersOf(facts, sockets);
    return {
      headline: `an outgoing connection uses the port: ${ownerText(facts, sockets)} is connected from ${localText(sockets[0]!)} to ${peerText(sockets[0]!)}`,
      detail: [
        ...(inRange
          ? [
              `the kernel gives ports from ${least} to ${most} to outgoing connections: a server there meets them by chance`,
            ]
          : []),
        `${what} in all; ending a client that only happens to use the port helps for the moment only`,
      ],
      remedies: [
        { what: inRange ? `take a port below ${least}` : "take another port" },
        {
          what: "or keep the port out of that range, from now on",
          cost: "one port less for outgoing connections; what is connected stays",
          command: [...sudo(facts, true), "sysctl", "-w", `net.ipv4.ip_local_reserved_ports=${facts.port}`],
        },
        {
          what: "or destroy the connection, not the program; one that had chosen the port by bind keeps it",
          cost: "both programs get an error",
          command: [...sudo(facts, true), "lastack", "free", ASKED, "--connections"],
        },
        ...(holders.length > 0
          ? [{ ...kill(facts, holders), what: `then end ${processesText(holders)}, if it had` }]
          : []),
      ],
    };
  },
};

/** True of an open connection whose listener is there, and blocks as well: it is no leftover, and told of with that. */
function belongsToListener(facts: Facts, { local }: PortSocket, blockers: ReadonlySet<PortSocket>): boolean {
  return facts.sockets.some(
    (socket) =>
      socket.state === "LISTEN" &&
      blockers.has(socket) &&
      (WILDCARDS.has(socket.local.address) || socket.local.address === local.address),
  );
}

/** A finding for each kind of connection on the port. */
export function leftoverFindings(facts: Facts, blockers: ReadonlySet<PortSocket>): Finding[] {
  const groups = new Map<Cause, PortSocket[]>();
  for (const socket of facts.sockets) {
    const cause = causeOf(facts, socket);
    // Connections of a living listener are no news; those that block beside it are told in its finding's shadow.
    if (!cause || (!blockers.has(socket) && hasListener(facts))) continue;
    if (cause === "leftover-connections" && belongsToListener(facts, socket, blockers)) continue;
    const group = groups.get(cause);
    if (group) group.push(socket);
    else groups.set(cause, [socket]);
  }
  return [...groups].map(([cause, sockets]) => {
    const told = tellers[cause]!(facts, sockets, plural(sockets.length, "connection"));
    return { cause, blocks: sockets.some((socket) => blockers.has(socket)), sockets, detail: [], ...told };
  });
}
