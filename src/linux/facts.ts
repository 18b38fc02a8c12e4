/** Collects what is to be known about a port: src/diagnose concludes from it, nothing is concluded here. */
import { formatZoned, isLinkLocal, isUnspecified, type ZonedAddress } from "../codec/address.ts";
import { INET_DIAG_INFO, INET_DIAG_NOCOOKIE, type InetDiagMessage } from "../codec/inet-diag.ts";
import { toTcpSocket } from "../codec/tcp-socket.ts";
import type { AddressTrouble, Facts, HolderProcess, PortSocket, Settings } from "../diagnose/facts.ts";
import { borrowOptions } from "./borrow.ts";
import { mayBindPrivileged } from "./capability.ts";
import { listenersElsewhere } from "./elsewhere.ts";
import { findHiddenKeepers, kernelServices } from "./hidden.ts";
import { findHolders, findHoldersAmong, unreadableUsers, type HolderSearch } from "./holders.ts";
import { interfaceName } from "./interfaces.ts";
import { numbersOfParameter } from "./parameter.ts";
import { readListeners, readPort, walkAhead } from "./port-sockets.ts";
import { ancestors, endedLeader, processFacts } from "./process.ts";
import { readText } from "./read.ts";
import { SockDiag } from "./sock-diag.ts";
import { decodeRows, type SocketTable } from "./socket-table.ts";
import { socketDescriptors, type SocketDescriptor } from "./task-files.ts";
import { addressErrno } from "./trial.ts";
import { userName } from "./users.ts";

const ORPHAN_RETRIES = 8; // tcp_orphan_retries() for a setting of 0
const [IFA_F_DADFAILED, IFA_F_TENTATIVE] = [0x08, 0x40]; // include/uapi/linux/if_addr.h
/** More CLOSE-WAIT sockets than these are not asked one by one when their last segment came. */
const MOST_ASKED = 64;

/** A port's facts, with what the views need of the sources. */
export interface Collected {
  facts: Facts;
  table: SocketTable;
  search: HolderSearch;
}

function settings(): Settings {
  const [least, most] = numbersOfParameter("net.ipv4.ip_local_port_range", 32_768, 60_999);
  return {
    unprivilegedPortStart: numbersOfParameter("net.ipv4.ip_unprivileged_port_start", 1024)[0]!,
    localPortRange: [least!, most!],
    orphanRetries: numbersOfParameter("net.ipv4.tcp_orphan_retries", 0)[0]! || ORPHAN_RETRIES,
    finTimeoutS: numbersOfParameter("net.ipv4.tcp_fin_timeout", 60)[0]!,
  };
}

/** What is known of a process that holds a socket; undefined if it has ended. */
export function holderProcess(pid: number): HolderProcess | undefined {
  const facts = processFacts(pid);
  if (!facts) return undefined;
  return { ...facts, endedLeader: endedLeader(facts) };
}

function policies(): ("SELinux" | "WSL")[] {
  const enforcing = readText("/sys/fs/selinux/enforce")?.trim() === "1";
  const wsl = /microsoft/i.test(readText("/proc/sys/kernel/osrelease") ?? "");
  return [...(enforcing ? (["SELinux"] as const) : []), ...(wsl ? (["WSL"] as const) : [])];
}

/** Why the kernel would not take the address, or undefined. */
export function addressTrouble(zoned: ZonedAddress): AddressTrouble | undefined {
  const { address, zone } = zoned;
  if (isUnspecified(address)) return undefined;
  const errno = addressErrno(zoned);
  if (errno === "EINVAL" && isLinkLocal(address)) return "without zone";
  if (errno !== "EADDRNOTAVAIL") return undefined;
  const hex = Buffer.from(address).toString("hex");
  // address, interface, prefix, scope, flags, name (net/ipv6/addrconf.c, if6_seq_show)
  const row = readText("/proc/thread-self/net/if_inet6")
    ?.split("\n")
    .map((line) => line.split(/ +/))
    .find(([own, device]) => own === hex && (!zone || Number.parseInt(device!, 16) === zone.index));
  const flags = Number.parseInt(row?.[4] ?? "0", 16);
  if (flags & IFA_F_DADFAILED) return "duplicate";
  return flags & IFA_F_TENTATIVE ? "tentative" : "absent";
}

/** When the last segment came, of a few CLOSE-WAIT sockets: by cookie, milliseconds ago. */
function quietTimes(messages: readonly InetDiagMessage[]): Map<bigint, number> {
  const times = new Map<bigint, number>();
  const asked = messages.filter(({ state }) => state === 8).slice(0, MOST_ASKED);
  if (asked.length === 0) return times;
  using diag = new SockDiag();
  for (const message of asked) {
    const id = { ...message, cookie: message.cookie || INET_DIAG_NOCOOKIE };
    const found = diag.lookup(message.family === 2 ? 2 : 10, id, [INET_DIAG_INFO]);
    const quietMs = found && toTcpSocket(found).info?.lastAckRecvMs;
    if (quietMs !== undefined) times.set(message.cookie, quietMs);
  }
  return times;
}

/** The sockets with their holders and, where those allow it, their options. */
function portSockets(table: SocketTable, search: HolderSearch): PortSocket[] {
  const messages = decodeRows(table);
  const quiet = table.source === "sock_diag" ? quietTimes(messages) : new Map<bigint, number>();
  const refused = new Set<number>();
  const devices = new Map([[0, undefined as string | undefined]]);
  for (const { interfaceIndex: index } of messages) if (!devices.has(index)) devices.set(index, interfaceName(index));
  return messages.map((message) => {
    const socket = toTcpSocket(message);
    const holders = search.holders.get(socket.inode) ?? [];
    let options: PortSocket["options"];
    for (const holder of holders) {
      // A process that has refused once is not asked for each of its thousand connections.
      if (options || refused.has(holder.pid)) continue;
      options = borrowOptions(holder, socket.inode, message.family !== 2);
      if (!options) refused.add(holder.pid);
    }
    const device = devices.get(socket.interfaceIndex);
    return { ...socket, holders, options, quietMs: quiet.get(socket.cookie), device };
  });
}

/** What does not depend on the port's sockets. */
export function surroundings(
  addresses: readonly ZonedAddress[],
): Pick<Facts, "asker" | "users" | "settings" | "addressTrouble" | "policies"> {
  const uid = process.geteuid!();
  const troubles = addresses.map((address) => [formatZoned(address), addressTrouble(address)] as const);
  return {
    asker: {
      uid,
      user: userName(uid),
      mayBindPrivileged: mayBindPrivileged(),
      ancestors: ancestors(process.pid),
    },
    users: userName,
    settings: settings(),
    addressTrouble: new Map(troubles.filter((entry): entry is [string, AddressTrouble] => entry[1] !== undefined)),
    policies: policies(),
  };
}

type Surroundings = ReturnType<typeof surroundings>;

/** What is found out while the kernel walks over its connections. */
export interface Ahead {
  table: SocketTable;
  descriptors: readonly SocketDescriptor[] | undefined;
  /** Those that hold a listener. */
  processes: ReadonlyMap<number, HolderProcess>;
  around: Surroundings;
}

const inodesOf = (table: SocketTable) => new Set(decodeRows(table).map(({ inode }) => inode));

function processesOf(pids: ReadonlySet<number>, known?: ReadonlyMap<number, HolderProcess>) {
  const processes = [...pids].map((pid) => known?.get(pid) ?? holderProcess(pid));
  return new Map(processes.filter((process) => process !== undefined).map((process) => [process.pid, process]));
}

/**
 * On a host with many processes both take long: the walk of the kernel's over its connections, `walk` if it has begun
 * before, and the search for holders. This does them at the same time; undefined where one after the other is better.
 */
export async function lookAhead(
  port: number,
  addresses: readonly ZonedAddress[],
  walk = walkAhead(port),
): Promise<Ahead | undefined> {
  if (!walk) return undefined;
  const descriptors = socketDescriptors();
  const listeners = inodesOf(readListeners(port));
  const holders = descriptors?.filter(({ inode }) => listeners.has(inode)).map(({ pid }) => pid);
  const processes = processesOf(new Set(holders));
  const around = surroundings(addresses);
  return { table: await walk, descriptors, processes, around };
}

export interface CollectOptions {
  /** false: nobody looks for what only explains: sockets hidden in messages and rings, listeners in other namespaces. */
  rare?: boolean;
  ahead?: Ahead | undefined;
}

/** The facts of a port and of the addresses that are asked about. Nothing is bound: see trial.ts. */
export function collectFacts(
  port: number,
  addresses: readonly ZonedAddress[],
  { rare = true, ahead }: CollectOptions = {},
): Collected {
  const table = ahead?.table ?? readPort(port);
  const inodes = inodesOf(table);
  inodes.delete(0);
  const search = ahead?.descriptors ? findHoldersAmong(ahead.descriptors, inodes) : findHolders(inodes);
  const nowMs = Date.now();
  const sockets = portSockets(table, search);
  const pids = new Set([...search.holders.values()].flat().map(({ pid }) => pid));
  const unheld = sockets.filter(
    ({ state, inode, holders }) => state === "LISTEN" && inode !== 0 && holders.length === 0,
  );
  const mayHide = rare && unheld.length > 0;
  const facts: Facts = {
    port,
    nowMs,
    sockets,
    denied: table.denied,
    interrupted: table.interrupted,
    processes: processesOf(pids, ahead?.processes),
    unreadable: unreadableUsers(search),
    hidden: search.hidden,
    keepers: mayHide ? findHiddenKeepers(new Set(unheld.map(({ inode }) => inode))) : [],
    kernelServices: mayHide ? kernelServices() : [],
    elsewhere: !rare || sockets.some(({ state }) => state === "LISTEN") ? [] : listenersElsewhere(port),
    trials: [],
    ...(ahead?.around ?? surroundings(addresses)),
  };
  return { facts, table, search };
}
