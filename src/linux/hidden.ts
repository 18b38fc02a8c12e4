/** Who keeps a socket that no descriptor refers to: a message on its way, an io_uring ring, the kernel itself. */
import { readdirSync } from "node:fs";
import type { HiddenKeeper } from "../diagnose/facts.ts";
import { commName, programName } from "./process.ts";
import { readLink, readText } from "./read.ts";

function numbersIn(path: string): number[] {
  try {
    return readdirSync(path)
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return []; // ended, or not to be read
  }
}

/**
 * The processes with a Unix socket that has descriptors under way (`scm_fds` in its fdinfo, since Linux 5.6), or with an
 * io_uring ring in which one of these sockets is registered. Reads every descriptor's link: for the rare case only.
 */
export function findHiddenKeepers(inodes: ReadonlySet<number>): HiddenKeeper[] {
  const names = [...inodes].map((inode) => `socket:[${inode}]`);
  const keepers: HiddenKeeper[] = [];
  for (const pid of numbersIn("/proc")) {
    for (const fd of numbersIn(`/proc/${pid}/fd`)) {
      const target = readLink(`/proc/${pid}/fd/${fd}`) ?? "";
      const isSocket = target.startsWith("socket:");
      if (!isSocket && target !== "anon_inode:[io_uring]") continue;
      const info = readText(`/proc/${pid}/fdinfo/${fd}`) ?? "";
      const keeps = isSocket
        ? Number(/^scm_fds:\s*(\d+)/m.exec(info)?.[1]) > 0
        : names.some((name) => info.includes(name));
      if (keeps) keepers.push({ kind: isSocket ? "message" : "ring", pid, fd, program: programName(pid) ?? "?" });
    }
  }
  return keepers;
}

/** The kernel's services that listen on TCP ports without a process. */
const SERVICES = ["nfsd", "lockd", "ksmbd"];

/** Those of them whose threads run here: children of kthreadd, by their names. */
export function kernelServices(): string[] {
  const children = (readText("/proc/2/task/2/children") ?? "").split(" ").filter(Boolean).map(Number);
  const names = new Set(children.map((pid) => (commName(pid) ?? "").replace(/[-/:].*$/, "")));
  return SERVICES.filter((name) => names.has(name));
}
