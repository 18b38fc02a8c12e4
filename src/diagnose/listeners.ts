/** Somebody listens, and a process holds the socket. */
import type { Facts, HolderProcess, PortSocket } from "./facts.ts";
import type { Cause, Finding, Remedy } from "./finding.ts";
import { endProcesses, OTHER_PORT, reuse, sudo } from "./remedies.ts";
import { isEngine, isServiceManager } from "./supervisors.ts";
import { commandText, holdersOf, listText, localText, plural, processesText, processText, spanText } from "./words.ts";

/** What a process's command line gives after one of these flags. */
function argumentAfter({ arguments: words }: HolderProcess, ...flags: string[]): string | undefined {
  const at = words?.findIndex((word) => flags.includes(word)) ?? -1;
  return at < 0 ? undefined : words![at + 1];
}

/** A prefork server can have hundreds. */
const MOST_DESCRIBED = 8;

/** How it runs: age, place, command line, supervisor. */
function describe(facts: Facts, process: HolderProcess): string {
  const parts = [`${processText(process)}: ${commandText(process) || "no command line"}`];
  if (process.workingDirectory !== null) parts.push(`in ${process.workingDirectory}`);
  parts.push(`started ${spanText(facts.nowMs - process.startedAtMs)} ago`);
  const [parent] = process.parents;
  if (parent) parts.push(`by ${parent.program} (pid ${parent.pid})`);
  if (process.unit) parts.push(`unit ${process.unit}`);
  if (process.containerId) parts.push(`container ${process.containerId.slice(0, 12)}`);
  if (process.state === "T") parts.push("suspended");
  return parts.join(", ");
}

interface Kind {
  cause: Cause;
  headline: string;
  detail: readonly string[];
  remedies: readonly Remedy[];
}

function systemd(facts: Facts, holders: readonly HolderProcess[], where: string): Kind | undefined {
  const manager = holders.find(isServiceManager);
  const activator = holders.find(({ program }) => program === "systemd-socket-activate");
  if (activator) {
    return {
      cause: "systemd-socket",
      headline: `${processText(activator)} listens on ${where} for a service that it starts at the first connection`,
      detail: [],
      remedies: endProcesses(facts, [activator]),
    };
  }
  if (!manager) return undefined;
  const services = holders.filter((process) => process !== manager).map(processText);
  return {
    cause: "systemd-socket",
    headline: `systemd (pid ${manager.pid}) listens on ${where}: a .socket unit`,
    detail: services.length > 0 ? [`it has handed the socket to ${listText(services)}: ending that is not enough`] : [],
    remedies: [
      {
        what:
          services.length > 0 ? "stop the unit that has the port, and its service" : "stop the unit that has the port",
        cost: "its service is not started by connections any more",
        command: [...sudo(facts, manager.uid === 0), "sh", "-c", stopUnit(facts, manager, services.length > 0)],
      },
    ],
  };
}

/** `list-sockets` has where it listens, the unit, and the service that it starts, which has the socket once it runs. */
function stopUnit({ port, asker }: Facts, { pid, uid, user }: HolderProcess, isHandedOn: boolean): string {
  const whose = pid === 1 ? "" : uid === asker.uid ? " --user" : ` --machine=${user}@ --user`;
  const columns = isHandedOn ? "$2, $3" : "$2";
  const units = `systemctl${whose} list-sockets --no-legend | awk '$1 ~ /:${port}$/ { print ${columns} }'`;
  return `systemctl${whose} stop $(${units})`;
}

function engine(facts: Facts, holders: readonly HolderProcess[], where: string): Kind | undefined {
  const process = holders.find(isEngine);
  if (!process) return undefined;
  const name = argumentAfter(process, "-n", "--name");
  const address = argumentAfter(process, "-container-ip");
  const podman = !process.program.startsWith("docker");
  const tool = podman ? "podman" : "docker";
  const whose = name ? `the container ${name}` : address ? `the container at ${address}` : "a container";
  return {
    cause: "container-engine",
    headline: `${processText(process)} listens on ${where} for ${whose}`,
    detail: ["ending this process does not end the container, which may get the port back"],
    remedies: [
      name
        ? { what: `stop the container ${name}`, command: [tool, "stop", name] }
        : {
            what: "stop the container that publishes the port",
            command: ["sh", "-c", `${tool} stop $(${tool} ps --quiet --filter publish=${facts.port})`],
          },
    ],
  };
}

/** Holders of different programs, one started by the other: a child got the listener with it. */
function passedOn(holders: readonly HolderProcess[]): boolean {
  return new Set(holders.map(({ program }) => program)).size > 1;
}

function zombie(facts: Facts, holders: readonly HolderProcess[], where: string): Kind | undefined {
  const process = holders.find(({ state }) => state === "Z");
  return (
    process && {
      cause: "zombie-leader",
      headline: `${processText(process)} listens on ${where}: its first thread has ended, another one lives on`,
      detail: ["such a process looks like a zombie, and its descriptors seem to be none"],
      remedies: endProcesses(facts, [process]),
    }
  );
}

function inherited(facts: Facts, holders: readonly HolderProcess[], where: string): Kind | undefined {
  const orphans = holders.filter(({ endedLeader }) => endedLeader !== undefined);
  if (orphans.length === 0 && !passedOn(holders)) return undefined;
  const ended = orphans[0]?.endedLeader;
  const headline =
    ended === undefined
      ? `${processesText(holders)} hold one listener on ${where} together`
      : `${processesText(holders)} listens on ${where}, most likely inherited from pid ${ended}, which has ended`;
  return {
    cause: "inherited-listener",
    headline,
    detail: ["the port is free only when the last of them has ended or closed it"],
    remedies: [
      ...endProcesses(facts, holders),
      { what: "let children not inherit it: SOCK_CLOEXEC, or close it in the child" },
    ],
  };
}

function plain(facts: Facts, holders: readonly HolderProcess[], where: string): Kind {
  const [first] = holders;
  const more = holders.length > 1 ? ` and ${plural(holders.length - 1, "process", "processes")} more` : "";
  return {
    cause: "listener",
    headline:
      `${processText(first!)}${more} ${more ? "listen" : "listens"} on ${where}, ` +
      `running for ${spanText(facts.nowMs - Math.min(...holders.map(({ startedAtMs }) => startedAtMs)))}`,
    detail: [],
    remedies: [...endProcesses(facts, holders), OTHER_PORT],
  };
}

/** What its connections will do to the port when it ends: they are closed then, and by this end first. */
function aftermath(open: number, sockets: readonly PortSocket[]): string[] {
  if (open === 0) return [];
  const lacking = sockets.some(({ options }) => options?.reuseAddress === false);
  const whom = lacking
    ? "whatever the next server sets, for this one has not set SO_REUSEADDR"
    : "unless the next server sets SO_REUSEADDR, as this one must have";
  return [`${plural(open, "connection")} with it: when it ends, they keep the port in TIME-WAIT for 60 s, ${whom}`];
}

/** A finding for each listener that somebody holds. */
export function listenerFindings(facts: Facts, blockers: ReadonlySet<PortSocket>): Finding[] {
  const listeners = facts.sockets.filter(({ state, holders }) => state === "LISTEN" && holders.length > 0);
  const open = facts.sockets.filter(({ state, peer }) => state === "ESTABLISHED" && peer.port !== 0);
  // Sockets that the same processes hold (SO_REUSEPORT, one for each family) are told of together.
  const groups = new Map<string, PortSocket[]>();
  for (const socket of listeners) {
    const key = holdersOf(facts, [socket])
      .map(({ pid }) => pid)
      .join(" ");
    groups.set(key, [...(groups.get(key) ?? []), socket]);
  }
  return [...groups.values()].flatMap((sockets) => {
    const holders = holdersOf(facts, sockets);
    if (holders.length === 0) return []; // ended since
    const where = listText([...new Set(sockets.map(localText))]);
    const kind =
      systemd(facts, holders, where) ??
      engine(facts, holders, where) ??
      zombie(facts, holders, where) ??
      inherited(facts, holders, where) ??
      plain(facts, holders, where);
    const own = holders.find(({ pid }) => facts.asker.ancestors.includes(pid));
    const skipped = holders.length - MOST_DESCRIBED;
    const detail = [
      ...holders.slice(0, MOST_DESCRIBED).map((process) => describe(facts, process)),
      ...(skipped > 0 ? [`and ${plural(skipped, "process", "processes")} more`] : []),
      ...kind.detail,
      ...aftermath(open.length, sockets),
    ];
    if (own) detail.push(`pid ${own.pid} started this very command: it asks about a port that it holds itself`);
    const blocks = sockets.some((socket) => blockers.has(socket));
    const restart =
      open.length === 0
        ? []
        : reuse(facts, [...sockets, ...open], "before a restart: its connections then do not keep the port");
    const finding: Finding = { ...kind, detail, sockets, blocks, remedies: [...kind.remedies, ...restart] };
    return own ? [{ ...finding, cause: "same-program" as const }] : [finding];
  });
}
