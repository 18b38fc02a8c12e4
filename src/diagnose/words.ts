/** How people say things: spans of time, processes, endpoints. */
import { formatEndpoint } from "../codec/address.ts";
import type { Facts, HolderProcess, PortSocket } from "./facts.ts";

const UNITS = [
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
] as const;

/** A span in its largest unit, rounded: `2 h`, `41 s`. Seconds are rounded up: after that long it is over. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  for (const [name, size] of UNITS) if (seconds >= 2 * size) return `${Math.round(seconds / size)} ${name}`;
  return `${seconds} s`;
}

/** `12,345`. (The first toLocaleString of a process takes 13 ms.) */
export function wholeNumber(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${wholeNumber(count)} ${count === 1 ? one : many}`;
}

export function listText(parts: readonly string[], last = "and"): string {
  return parts.length < 2 ? (parts[0] ?? "") : `${parts.slice(0, -1).join(", ")} ${last} ${parts.at(-1)}`;
}

/** `node (pid 4242, alice)` */
export function processText({ program, pid, user }: HolderProcess): string {
  return `${program} (pid ${pid}, ${user})`;
}

/** The first of many processes: all holders are in the table of sockets. */
const MOST_NAMES = 4;

/** `node (pid 4242, alice), node (pid 4243, alice)`; of many the first, and how many more. */
export function processesText(processes: readonly HolderProcess[]): string {
  const names = processes.slice(0, MOST_NAMES).map(processText);
  const rest = processes.length - names.length;
  return listText(rest > 0 ? [...names, plural(rest, "process more", "processes more")] : names);
}

/** Also of a device, as `ls` has it: `[fe80::1%eth0]:80`. */
export function localText({ local, device }: Pick<PortSocket, "local" | "device">): string {
  return formatEndpoint(device === undefined ? local.address : `${local.address}%${device}`, local.port);
}

export function peerText({ peer }: Pick<PortSocket, "peer">): string {
  return formatEndpoint(peer.address, peer.port);
}

/** `node server.js`: at most 200 characters of the command line. */
export function commandText(process: HolderProcess): string {
  const text = (process.arguments ?? []).slice(0, 40).join(" ");
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** What may hide the holders of a socket from who asks: sentences, none if all processes could be looked into. */
export function hidingTexts({ unreadable, hidden }: Pick<Facts, "unreadable" | "hidden">): string[] {
  const users = unreadable.map(({ user, processes }) => `${processes} of ${user}`);
  return [
    ...(users.length > 0 ? [`processes whose descriptors may not be read: ${listText(users)}`] : []),
    ...(hidden === "hidepid"
      ? ["/proc shows the processes of other users to root alone (its mount option hidepid)"]
      : []),
    ...(hidden === "no proc" ? ["/proc is not mounted: no process could be looked into"] : []),
  ];
}

/** The processes that hold a socket, in the order of their pids. */
export function holdersOf(facts: Facts, sockets: readonly PortSocket[]): HolderProcess[] {
  const pids = new Set(sockets.flatMap(({ holders }) => holders.map(({ pid }) => pid)));
  return [...pids]
    .sort((a, b) => a - b)
    .map((pid) => facts.processes.get(pid))
    .filter((process) => process !== undefined);
}
