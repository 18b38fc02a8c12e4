import { readFileSync, statSync } from "node:fs";

const NO_UID = 2 ** 32 - 1; // INVALID_UID, include/linux/uidgid.h

let names: Map<number, string> | undefined;

function readPasswd(): Map<number, string> {
  const users = new Map<number, string>();
  try {
    for (const line of readFileSync("/etc/passwd", "utf8").split("\n")) {
      const [name, , uid] = line.split(":");
      // The first line of a uid is the one that getpwuid(3) answers with.
      if (name && uid && !users.has(Number(uid))) users.set(Number(uid), name);
    }
  } catch {
    // No such file in this container: numbers will do.
  }
  return users;
}

/** The user's name in /etc/passwd, or the number as text. Directories on the network (LDAP) are not asked. */
export function userName(uid: number): string {
  names ??= readPasswd();
  return names.get(uid) ?? String(uid);
}

/** The user who owns a process, or undefined if it has ended. */
export function processUid(pid: number): number | undefined {
  return statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid;
}

/** The uid of a name in /etc/passwd or of a number in text; undefined if there is no such user. */
export function userId(name: string): number | undefined {
  if (/^\d+$/.test(name)) return Number(name) < NO_UID ? Number(name) : undefined;
  names ??= readPasswd();
  for (const [uid, user] of names) if (user === name) return uid;
  return undefined;
}
