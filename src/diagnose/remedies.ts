/** What to do about a cause, what it costs, and the command. */
import type { Facts, HolderProcess, PortSocket } from "./facts.ts";
import { ASKED } from "./asked.ts";
import type { Remedy } from "./finding.ts";
import { supervisorOf } from "./supervisors.ts";
import { holdersOf, plural, processesText } from "./words.ts";

export function sudo(facts: Facts, needed: boolean): string[] {
  return needed && facts.asker.uid !== 0 ? ["sudo"] : [];
}

const isForeign = (facts: Facts, process: HolderProcess) => process.uid !== facts.asker.uid;

const LOST = "what the program has not saved is lost; its open connections end";

/** What stops each of these for good, told by who would start it again. */
function stopManaged(facts: Facts, processes: readonly HolderProcess[]): Remedy[] {
  const remedies = new Map<string, Remedy>();
  for (const process of processes) {
    const { name, command } = supervisorOf(process)!;
    const isUnit = command![0] === "systemctl";
    remedies.set(name, {
      what: isUnit
        ? `stop the service ${name}; a mere kill may have systemd start it again`
        : `have ${command![0]} stop it: ${name} would start ${process.program} again`,
      cost: isUnit ? "the service is down until it is started again" : "ends all that it supervises",
      command: [...sudo(facts, isUnit ? !command!.includes("--user") : isForeign(facts, process)), ...command!],
    });
  }
  return [...remedies.values()];
}

/** Ends these processes and nothing else, by their numbers: where `lastack free` would end more, or would not do it. */
export function kill(facts: Facts, processes: readonly HolderProcess[]): Remedy {
  const prefix = sudo(
    facts,
    processes.some((process) => isForeign(facts, process)),
  );
  const command = [...prefix, "kill", ...processes.map(({ pid }) => String(pid))];
  return { what: `end ${processesText(processes)}`, cost: LOST, command };
}

/** Ends who holds the port, and removes what the kernel keeps of their connections. */
function free(facts: Facts, processes: readonly HolderProcess[]): Remedy {
  const watched = processes.map(supervisorOf).find((supervisor) => supervisor !== undefined);
  const stopped = processes.some(({ state }) => state === "T");
  const more = watched
    ? `, and ${watched.name} before, which would start it again`
    : stopped
      ? "; it is suspended (Ctrl-Z): fg brings it back, and free has it continue to notice"
      : "";
  const foreign = processes.some((process) => isForeign(facts, process));
  return {
    what: `end ${processesText(processes)}${more}`,
    cost: watched ? "ends all that it supervises" : LOST,
    command: [...sudo(facts, foreign), "lastack", "free", ASKED],
  };
}

/** Ends these processes, who hold the port; through their service manager or supervisor where they have one. */
export function endProcesses(facts: Facts, processes: readonly HolderProcess[]): Remedy[] {
  if (processes.length === 0) return [];
  const managed = processes.filter((process) => supervisorOf(process)?.command);
  const others = processes.filter((process) => !managed.includes(process));
  if (managed.length > 0) {
    return [...stopManaged(facts, managed), ...(others.length > 0 ? [kill(facts, others)] : [])];
  }
  // It does not end who started it.
  const isOwn = processes.some(({ pid }) => facts.asker.ancestors.includes(pid));
  return [isOwn ? kill(facts, processes) : free(facts, processes)];
}

export const OTHER_PORT: Remedy = { what: "or take another port" };

/** Waiting, asleep, until the port can be bound. */
export function wait(span: string): Remedy {
  return { what: `wait ${span}; with -- COMMAND it starts a server then`, command: ["lastack", "wait", ASKED] };
}

/** What SO_REUSEADDR does for leftovers of a connection, as far as that is known. */
export function reuseAddress(sockets: readonly PortSocket[]): Remedy {
  const lacking = sockets.filter(({ options }) => options && !options.reuseAddress).length;
  const what =
    lacking > 0
      ? `set SO_REUSEADDR before bind in both programs: ${plural(lacking, "socket")} here was left by one that did not`
      : "set SO_REUSEADDR before bind, in the program that left this and in the one that binds: Linux asks for both";
  return { what, cost: "none: it is what servers do; it takes effect for what is left from then on" };
}

/** The same for what a running program holds, from outside. */
export function reuse(facts: Facts, sockets: readonly PortSocket[], what: string): Remedy[] {
  const lacking = sockets.filter(({ options, inode }) => inode !== 0 && options?.reuseAddress === false);
  if (lacking.length === 0) return [];
  const holders = holdersOf(facts, lacking);
  const foreign = holders.some((process) => isForeign(facts, process));
  return [
    {
      what: `${what}: only for a server that sets SO_REUSEADDR itself, as Node always does`,
      cost: "none: the running program does not notice",
      command: [...sudo(facts, foreign), "lastack", "reuse", String(facts.port)],
    },
  ];
}

const RISK = {
  timeWait:
    "a delayed segment of the old connection may be taken for one of a new one, and a lost last ACK becomes a reset",
  open: "the peer gets a reset; data not yet delivered are lost",
};

/** Removes sockets that no process has (the kernel's SOCK_DESTROY), and ends the programs that have some. */
export function remove(facts: Facts, sockets: readonly PortSocket[]): Remedy {
  const holders = holdersOf(facts, sockets);
  const them = sockets.length === 1 ? "it" : "them";
  const what =
    holders.length > 0
      ? `end ${processesText(holders)}, and what the kernel would keep of the connections`
      : `or end ${them} now`;
  return {
    what: `${what}, which takes CAP_NET_ADMIN`,
    cost: sockets.some(({ state }) => state === "TIME-WAIT") ? RISK.timeWait : RISK.open,
    command: [...sudo(facts, true), "lastack", "free", ASKED],
  };
}
