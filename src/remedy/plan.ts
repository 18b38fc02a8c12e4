/**
 * What freeing a port would take: which processes end, which sockets of nobody are removed, and what is in the way of doing
 * it at all. Concluded from a look; nothing is touched here.
 */
import { askedWords } from "../diagnose/asked.ts";
import type { Facts, HolderProcess, PortSocket } from "../diagnose/facts.ts";
import type { Cause, Finding, Remedy } from "../diagnose/finding.ts";
import { isOutgoing } from "../diagnose/leftovers.ts";
import { isEngine, isServiceManager, supervisorOf } from "../diagnose/supervisors.ts";
import { holdersOf, listText, localText, peerText, processText } from "../diagnose/words.ts";
import type { Look } from "./look.ts";

export interface FreeOptions {
  /** Ends processes of this program only; where others hold the port, nothing is ended. */
  only?: string;
  /** Destroys connections that this host opened from the port, too. */
  connections?: boolean;
  /** Goes ahead where care says no: PID 1, the sshd of this login, container engines, services that would come back. */
  force?: boolean;
}

/** A process to be ended. */
export interface Victim {
  process: HolderProcess;
  /** Its sockets that are in the way. */
  sockets: readonly PortSocket[];
  /** Why it is among them, if it holds none of these itself. */
  because?: string;
}

/** Something that is left alone, and why; `remedies` say what would do it. */
export interface Refusal {
  reason: string;
  remedies: readonly Remedy[];
  /** More permissions would lift it. */
  needsPermission?: boolean;
}

export interface FreePlan {
  port: number;
  /** In the order in which they get their signal: whoever would start another again comes before it. */
  victims: readonly Victim[];
  /** Kept by the kernel alone: to be destroyed, each by its cookie. */
  sockets: readonly PortSocket[];
  /** Where there is any, nothing is done. */
  refusals: readonly Refusal[];
  /** Outgoing connections in the way that stay, since nobody asked for their end. */
  spared: readonly PortSocket[];
}

/** What only its own manager ends for good, if it is one that holds it: the finding's remedies name the command. */
const MANAGED: ReadonlySet<Cause> = new Set(["systemd-socket", "container-engine"]);
const isManager = (process: HolderProcess) => isServiceManager(process) || isEngine(process);
/** What no signal to a known process frees. */
const OUT_OF_REACH: ReadonlySet<Cause> = new Set(["in-flight", "io-uring", "kernel-listener", "unknown-holder"]);
/** Refusals of bind that are not about sockets at all. */
const NOT_TAKEN: ReadonlySet<Cause> = new Set(["address-unavailable", "privileged-port", "policy", "outside-linux"]);

function findingRefusal(facts: Facts, finding: Finding, force: boolean): Refusal | undefined {
  const { cause, headline, remedies, sockets } = finding;
  const isManaged = !force && MANAGED.has(cause) && holdersOf(facts, sockets).some(isManager);
  if (OUT_OF_REACH.has(cause) || NOT_TAKEN.has(cause) || isManaged) {
    const needsPermission = cause === "privileged-port";
    return { reason: headline, remedies: remedies.filter(({ command }) => command), needsPermission };
  }
  if (cause === "other-users-process") return { reason: headline, remedies: [], needsPermission: true };
  return undefined;
}

function processRefusal(facts: Facts, self: number, process: HolderProcess, force: boolean): Refusal | undefined {
  const text = processText(process);
  const isAncestor = facts.asker.ancestors.includes(process.pid);
  const careful = process.pid === 1 || isManager(process) || (isAncestor && process.program.startsWith("sshd"));
  if (careful) {
    return force ? undefined : { reason: `${text} is ended only with --force: much depends on it`, remedies: [] };
  }
  if (isAncestor) return { reason: `${text} started this very command, and is not ended by it`, remedies: [] };
  if (process.pid === self)
    return { reason: `${text} is this very command, which was handed the socket`, remedies: [] };
  const supervisor = supervisorOf(process);
  if (supervisor?.command && !force) {
    const [first] = supervisor.command;
    return {
      reason: `${text} is kept running by ${supervisor.name}, which would start it again`,
      remedies: [{ what: `have ${first} stop it`, command: supervisor.command }],
    };
  }
  return undefined;
}

/** Whoever started another comes first. */
function bySeniority(a: HolderProcess, b: HolderProcess): number {
  if (b.parents.some(({ pid }) => pid === a.pid)) return -1;
  if (a.parents.some(({ pid }) => pid === b.pid)) return 1;
  return a.pid - b.pid;
}

/** The supervisors that watch over one program alone (nodemon): ended with it, or it is there again at once. */
function watchers(processes: readonly HolderProcess[], facts: Facts, load: LoadProcess): Victim[] {
  const victims = new Map<number, Victim>();
  for (const process of processes) {
    const supervisor = supervisorOf(process);
    if (!supervisor || supervisor.command || facts.processes.has(supervisor.pid)) continue;
    const watcher = load(supervisor.pid);
    if (watcher) {
      victims.set(supervisor.pid, {
        process: watcher,
        sockets: [],
        because: `it would start ${process.program} again`,
      });
    }
  }
  return [...victims.values()];
}

/** The facts of a process, undefined if it has ended. */
export type LoadProcess = (pid: number) => HolderProcess | undefined;

/** What the world outside of the look is asked. */
export interface PlanContext {
  /** The calling process. */
  self: number;
  loadProcess: LoadProcess;
  /** Whether somebody listens on this end, on this host: then a connection to it was opened from the other end. */
  listensAt(end: PortSocket["peer"]): boolean;
}

interface Sorted {
  held: PortSocket[];
  unheld: PortSocket[];
  outgoing: PortSocket[];
}

function sort(blockers: ReadonlySet<PortSocket>, facts: Facts, context: PlanContext): Sorted {
  const sorted: Sorted = { held: [], unheld: [], outgoing: [] };
  for (const socket of blockers) {
    const isConnection = socket.peer.port !== 0;
    if (socket.inode === 0) sorted.unheld.push(socket);
    else if (isConnection && (isOutgoing(facts, socket) || context.listensAt(socket.peer)))
      sorted.outgoing.push(socket);
    else sorted.held.push(socket);
  }
  return sorted;
}

/** Some hold the port who are not of the program that may be ended. */
function othersRefusal(victims: readonly Victim[], only: string): Refusal[] {
  const others = victims.filter(({ process }) => process.program !== only && process.comm !== only);
  if (others.length === 0) return [];
  return [
    {
      reason: `not only ${only} holds it: ${listText(others.map(({ process }) => processText(process)))}`,
      remedies: [],
    },
  ];
}

function outgoingRefusal(facts: Facts, spared: readonly PortSocket[], asked: readonly string[]): Refusal[] {
  if (spared.length === 0) return [];
  const names = listText(holdersOf(facts, spared).map(processText)) || "a process that may not be looked into";
  const ends = spared.slice(0, 3).map((socket) => `${localText(socket)} to ${peerText(socket)}`);
  return [
    {
      reason: `${names} uses the port for an outgoing connection (${ends.join(", ")}), and is not ended for that`,
      remedies: [
        {
          what: "destroy the connections, not the program",
          cost:
            "both programs get an error (ECONNABORTED here, a reset there); one that had chosen the port by bind keeps it " +
            "until it closes the socket",
          command: ["lastack", "free", ...asked, "--connections"],
        },
      ],
    },
  ];
}

/** What freeing the port of this look would take. */
export function planFree({ diagnosis, facts }: Look, options: FreeOptions, context: PlanContext): FreePlan {
  const force = options.force === true;
  const blockers = new Set(
    diagnosis.asks.flatMap(({ answer }) => (answer.outcome === "granted" ? [] : answer.blockers)),
  );
  const { held, unheld, outgoing } = sort(blockers, facts, context);
  const processes = holdersOf(facts, held);
  const victims: Victim[] = [
    ...watchers(processes, facts, context.loadProcess),
    ...processes.map((process) => ({
      process,
      sockets: held.filter(({ holders }) => holders.some(({ pid }) => pid === process.pid)),
    })),
  ].sort((a, b) => bySeniority(a.process, b.process));
  const spared = options.connections ? [] : outgoing;
  const blocking = diagnosis.findings.filter(({ blocks }) => blocks);
  const refusals = [
    ...blocking.map((finding) => findingRefusal(facts, finding, force)),
    ...victims.map(({ process }) => processRefusal(facts, context.self, process, force)),
  ].filter((refusal) => refusal !== undefined);
  const asked = askedWords(
    diagnosis.asks.map(({ request }) => request),
    facts.asker.uid,
  );
  const only = options.only === undefined ? [] : othersRefusal(victims, options.only);
  return {
    port: facts.port,
    victims,
    sockets: options.connections ? [...unheld, ...outgoing] : unheld,
    refusals: [...refusals, ...only, ...outgoingRefusal(facts, spared, asked)],
    spared,
  };
}
