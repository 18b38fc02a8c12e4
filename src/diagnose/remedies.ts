/** What to do about a cause, what it costs, and the command. */
import type { Facts, HolderProcess, PortSocket } from "./facts.ts";
import type { Remedy } from "./finding.ts";
import { supervisorOf } from "./supervisors.ts";
import { listText, plural, processText, spanText } from "./words.ts";

export function sudo(facts: Facts, needed: boolean): string[] {
  return needed && facts.asker.uid !== 0 ? ["sudo"] : [];
}

const isForeign = (facts: Facts, process: HolderProcess) => process.uid !== facts.asker.uid;

/** Ends these processes; through their service manager or supervisor where they have one. */
export function endProcesses(facts: Facts, processes: readonly HolderProcess[]): Remedy[] {
  const remedies = new Map<string, Remedy>();
  const plain: HolderProcess[] = [];
  for (const process of processes) {
    const supervisor = supervisorOf(process);
    if (!supervisor) {
      plain.push(process);
      continue;
    }
    const { name, command } = supervisor;
    const isUnit = command?.[0] === "systemctl";
    remedies.set(name, {
      what: isUnit
        ? `stop the service ${name}; a mere kill may have systemd start it again`
        : command
          ? `have ${command[0]} stop it: ${name} would start ${process.program} again`
          : `end ${name}, which would start ${process.program} again`,
      cost: isUnit ? "the service is down until it is started again" : "ends all that it supervises",
      command: [
        ...sudo(facts, isUnit ? !command.includes("--user") : isForeign(facts, process)),
        ...(command ?? ["kill", String(supervisor.pid)]),
      ],
    });
  }
  return plain.length > 0 ? [...remedies.values(), kill(facts, plain)] : [...remedies.values()];
}

function kill(facts: Facts, processes: readonly HolderProcess[]): Remedy {
  const pids = processes.map(({ pid }) => String(pid));
  const prefix = sudo(
    facts,
    processes.some((process) => isForeign(facts, process)),
  );
  const stopped = processes.some(({ state }) => state === "T");
  const names = listText(processes.map(processText));
  const cost = "what the program has not saved is lost; its open connections end";
  if (!stopped) return { what: `end ${names}`, cost, command: [...prefix, "kill", ...pids] };
  return {
    what: `end ${names}; it is suspended (Ctrl-Z), so it has to be continued to notice, or brought back by fg`,
    cost,
    command: [...prefix, "sh", "-c", `kill ${pids.join(" ")}; kill -CONT ${pids.join(" ")}`],
  };
}

export const OTHER_PORT: Remedy = { what: "or take another port" };

/** Waiting until the last of these is over. */
export function wait(facts: Facts, endsAtMs: number, more = ""): Remedy {
  const leftMs = endsAtMs - facts.nowMs;
  return { what: `wait ${spanText(leftMs)}${more}`, command: ["sleep", String(Math.max(1, Math.ceil(leftMs / 1000)))] };
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

/** Ends sockets that no process has, or that one has, by the kernel's SOCK_DESTROY. */
export function destroy(facts: Facts, sockets: readonly PortSocket[]): Remedy {
  const { port } = sockets[0]!.local;
  const states = [...new Set(sockets.map(({ state }) => state.toLowerCase()))];
  return {
    what: `or end ${sockets.length === 1 ? "it" : "them"} now (needs CAP_NET_ADMIN)`,
    cost: states.includes("time-wait")
      ? "a delayed segment of the old connection may be taken for one of a new one, and a lost last ACK becomes a reset"
      : "the peer gets a reset; data not yet delivered are lost",
    command: [
      ...sudo(facts, true),
      "ss",
      "-tK",
      ...states.flatMap((state) => ["state", state]),
      "sport",
      "=",
      `:${port}`,
    ],
  };
}
