/** Listeners on a port in the other network namespaces of this host, as far as their processes may be read. */
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { formatIp } from "../codec/address.ts";
import { decodeProcNetTcp } from "../codec/proc-net-tcp.ts";
import type { ForeignListener } from "../diagnose/facts.ts";
import { findHolders } from "./holders.ts";
import { programName } from "./process.ts";

const TCP_LISTEN = 10;

/** The namespace of a process, or undefined where it has ended or may not be read. */
function namespaceOf(pid: string): number | undefined {
  try {
    return statSync(`/proc/${pid}/ns/net`).ino;
  } catch {
    return undefined;
  }
}

/** The file's text as far as it lists listeners, which come first: the connections behind them are not read. */
function listenersText(path: string): string {
  let text = "";
  const piece = Buffer.alloc(16 * 1024);
  try {
    const file = openSync(path, "r");
    try {
      for (let length: number; (length = readSync(file, piece)) > 0;) {
        text += piece.toString("latin1", 0, length);
        if (text.split("\n").some((line, i) => i > 0 && /^\s*\d+: \S+ \S+ (?!0A)/.test(line))) break;
      }
    } finally {
      closeSync(file);
    }
  } catch {
    // ended, or a kernel without IPv6
  }
  return text.slice(0, text.lastIndexOf("\n") + 1);
}

/** One process of each other network namespace. */
function otherNamespaces(): Map<number, string> {
  const own = namespaceOf("thread-self");
  const residents = new Map<number, string>();
  for (const name of readdirSync("/proc")) {
    const namespace = /^\d+$/.test(name) ? namespaceOf(name) : undefined;
    if (namespace !== undefined && namespace !== own && !residents.has(namespace)) residents.set(namespace, name);
  }
  return residents;
}

/** The listeners on this port in other network namespaces, each with a process that holds it where one can be seen. */
export function listenersElsewhere(port: number): ForeignListener[] {
  const found: (Pick<ForeignListener, "namespace" | "local"> & { inode: number })[] = [];
  for (const [namespace, resident] of otherNamespaces()) {
    for (const file of ["tcp", "tcp6"]) {
      const sockets = decodeProcNetTcp(listenersText(`/proc/${resident}/net/${file}`));
      if (!sockets.ok) continue;
      for (const { state, sourcePort, source, inode } of sockets.value) {
        if (state !== TCP_LISTEN || sourcePort !== port) continue;
        found.push({ namespace, inode, local: { address: formatIp(source), port } });
      }
    }
  }
  const { holders } = findHolders(new Set(found.map(({ inode }) => inode)));
  return found.map(({ inode, ...listener }) => {
    const pid = holders.get(inode)?.[0]?.pid;
    return { ...listener, holder: pid === undefined ? null : { pid, program: programName(pid) ?? "?" } };
  });
}
