/** Control groups, version 2: from the id that a socket carries to the processes in it. */
import { readFileSync } from "node:fs";
import {
  Fd,
  FILEID_KERNFS,
  O_DIRECTORY,
  O_RDONLY,
  openat,
  tryOpenat,
  tryOpenByHandleAt,
  tryRead,
} from "../sys/index.ts";

/** Where the version 2 hierarchy is mounted, or undefined. */
function cgroup2Mount(): string | undefined {
  let mounts: string;
  try {
    mounts = readFileSync("/proc/self/mounts", "latin1");
  } catch {
    return undefined;
  }
  return /^\S+ (\S+) cgroup2 /m.exec(mounts)?.[1]?.replaceAll("\\040", " ");
}

/** struct file_handle (include/linux/fs.h): of a cgroup directory the handle is its 64-bit id. */
function cgroupHandle(id: bigint): Uint8Array {
  const handle = new Uint8Array(16);
  const view = new DataView(handle.buffer);
  view.setUint32(0, 8, true);
  view.setInt32(4, FILEID_KERNFS, true);
  view.setBigUint64(8, id, true);
  return handle;
}

function readAll(fd: Fd): string {
  const parts: Buffer[] = [];
  for (;;) {
    const part = Buffer.allocUnsafe(16 * 1024);
    const length = tryRead(fd, part);
    if (length <= 0) return Buffer.concat(parts).toString("latin1");
    parts.push(part.subarray(0, length));
  }
}

/**
 * The processes now in these control groups. Empty where they can't be told: no version 2 hierarchy, no
 * CAP_DAC_READ_SEARCH for the look-up by id, the group has been removed.
 */
export function cgroupProcesses(ids: ReadonlySet<bigint>): number[] {
  const path = ids.size > 0 ? cgroup2Mount() : undefined;
  if (path === undefined) return [];
  using mount = openat(undefined, path, O_DIRECTORY);
  const pids: number[] = [];
  for (const id of ids) {
    const number = tryOpenByHandleAt(mount, cgroupHandle(id), O_DIRECTORY);
    if (number < 0) continue;
    using group = new Fd(number);
    const list = tryOpenat(group, Buffer.from("cgroup.procs\0"), O_RDONLY);
    if (list < 0) continue;
    using file = new Fd(list);
    for (const line of readAll(file).split("\n")) if (line !== "") pids.push(Number(line));
  }
  return pids;
}
