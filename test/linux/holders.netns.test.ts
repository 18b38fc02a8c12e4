import { spawnSync } from "node:child_process";
import {
  existsSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect } from "vitest";
import { findAnyHolder, findHolders, type Holder } from "../../src/linux/holders.ts";
import { processFacts } from "../../src/linux/process.ts";
import { socketDescriptors } from "../../src/linux/task-files.ts";
import type { Fd } from "../../src/sys/index.ts";
import { CLI, endAll, Running } from "../support/cli.ts";
import { lacking, testNeeding } from "../support/needs.ts";
import { enterNamespace, localOf, Sockets } from "../support/tcp.ts";
import { until } from "../support/until.ts";

const NOBODY = 65_534;
/** A user who has no processes but this test's. */
const STRANGER = 54_321;
const HOLDER_SOURCE = fileURLToPath(new URL("../fixtures/thread-holder.c", import.meta.url));

const sockets = new Sockets();
const leftovers: (() => unknown)[] = [];
afterEach(async () => {
  sockets.close();
  await endAll();
  for (const remove of leftovers.splice(0).reverse()) await remove();
});

function listener(): Fd {
  enterNamespace();
  return sockets.listener("127.0.0.1");
}

const inodeOf = (fd: Fd) => fstatSync(fd.number).ino;

/** A process that holds these sockets at descriptors 3, 4, … until its standard input ends. */
function holder(held: readonly Fd[], { command = ["cat"], uid = 0 } = {}): Running {
  const stdio = ["pipe" as const, "pipe" as const, "pipe" as const, ...held.map(({ number }) => number)];
  return new Running(command, { stdio, uid, gid: uid });
}

const order = (holders: Holder[]) => holders.sort((a, b) => a.pid - b.pid || a.fd - b.fd);
const byInode = (holders: Map<number, Holder[]>) => new Map([...holders].map(([inode, all]) => [inode, order(all)]));

/** The same search with other means: every thread's descriptors, by node:fs. */
function scan(inodes: ReadonlySet<number>): Map<number, Holder[]> {
  const list = (path: string) => {
    try {
      return readdirSync(path);
    } catch {
      return []; // ended, or not to be read
    }
  };
  const target = (path: string) => {
    try {
      return readlinkSync(path);
    } catch {
      return "";
    }
  };
  const found = new Map<number, Map<string, Holder>>();
  for (const pid of list("/proc").filter((name) => /^\d+$/.test(name))) {
    for (const tid of list(`/proc/${pid}/task`)) {
      const directory = `/proc/${pid}/task/${tid}/fd`;
      for (const fd of list(directory)) {
        const inode = Number(/^socket:\[(\d+)\]$/.exec(target(`${directory}/${fd}`))?.[1]);
        if (!inodes.has(inode)) continue;
        const holders = found.get(inode) ?? new Map<string, Holder>();
        found.set(inode, holders.set(`${pid} ${fd}`, { pid: Number(pid), fd: Number(fd) }));
      }
    }
  }
  return byInode(new Map([...found].map(([inode, holders]) => [inode, [...holders.values()]])));
}

/** None of a process whose first thread has ended: there are none, or, to an ordinary user, they belong to root now. */
function visibleDescriptors(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EACCES") return [];
    throw error;
  }
}

testNeeding(["a network namespace"], "every holder of every socket is found, at each of its descriptors", () => {
  const [one, two, three, alone] = [listener(), listener(), listener(), listener()];
  const first = holder([one, two]);
  const second = holder([two, one, two]); // the same socket twice
  const inodes = new Set([one, two, three, alone].map(inodeOf));
  const given = inodeOf(three);
  const third = holder([three]);
  three.close(); // now only the child has it

  const { holders, searched } = findHolders(inodes, Infinity);
  expect(byInode(holders)).toEqual(scan(inodes));
  expect(byInode(findHolders(inodes, 1).holders)).toEqual(scan(inodes)); // there are more than it begins with
  expect(byInode(findHolders(inodes, 0).holders)).toEqual(scan(inodes)); // by the kernel's iterator, where there is one
  expect(holders.get(given)).toEqual([{ pid: third.pid, fd: 3 }]);
  expect(order(holders.get(inodeOf(two))!.filter(({ pid }) => pid !== process.pid))).toEqual(
    order([
      { pid: first.pid, fd: 4 },
      { pid: second.pid, fd: 3 },
      { pid: second.pid, fd: 5 },
    ]),
  );
  expect(holders.get(inodeOf(alone))).toEqual([{ pid: process.pid, fd: alone.number }]);
  expect(searched).toBeGreaterThanOrEqual(4);
});

testNeeding(["a network namespace"], "a socket that no descriptor refers to is absent", () => {
  const fd = listener();
  const inode = inodeOf(fd);
  fd.close();
  expect(findHolders(new Set([inode])).holders).toEqual(new Map());
  expect(findAnyHolder(new Set([inode]), {}).holders).toEqual(new Map());
});

/** What bpf(2) asks for: the privileges, a kernel that describes its types, and the pids that it counts by. */
function hasIterator(): boolean {
  const effective = BigInt(`0x${/^CapEff:\t(.*)/m.exec(readFileSync("/proc/self/status", "latin1"))![1]}`);
  const [perfmon, bpf] = [1n << 38n, 1n << 39n]; // include/uapi/linux/capability.h
  const privileged = (effective & perfmon) !== 0n && (effective & bpf) !== 0n && process.geteuid!() === 0;
  const ownNamespace = readlinkSync("/proc/self/ns/user") === "user:[4026531837]"; // the first: PROC_USER_INIT_INO
  const ownPids = readlinkSync("/proc/self/ns/pid") === "pid:[4026531836]";
  return privileged && ownNamespace && ownPids && existsSync("/sys/kernel/btf/vmlinux");
}

testNeeding(["a network namespace"], "the kernel's iterator finds what /proc shows, where it may be asked", () => {
  const [one, two, closed] = [listener(), listener(), listener()];
  holder([one, two, one]);
  const inodes = new Set([one, two, closed].map(inodeOf));
  closed.close();
  const found = socketDescriptors(inodes);
  expect(found !== undefined).toBe(hasIterator());
  if (!found) return;
  const holders = new Map<number, Holder[]>();
  for (const { inode, pid, fd } of found) {
    holders.set(inode, [...(holders.get(inode) ?? []), { pid, fd }]);
  }
  expect(byInode(holders)).toEqual(scan(inodes));
});

testNeeding(
  ["a network namespace"],
  "one holder is found behind many descriptors, and before them if there is one",
  () => {
    const [other, behind, before] = [listener(), listener(), listener()];
    const { pid } = holder([...Array.from({ length: 100 }, () => other), behind]);
    const second = holder([before]);
    const [behindInode, beforeInode] = [behind, before].map(inodeOf) as [number, number];
    for (const fd of [other, behind, before]) fd.close();
    expect(findAnyHolder(new Set([behindInode]), {}).holders).toEqual(new Map([[behindInode, [{ pid, fd: 103 }]]]));
    expect(findAnyHolder(new Set([beforeInode]), {}).holders.get(beforeInode)).toEqual([{ pid: second.pid, fd: 3 }]);
  },
);

testNeeding(["a network namespace"], "a search that is called off asks nobody any more", () => {
  const inodes = new Set([inodeOf(listener())]);
  expect(findAnyHolder(inodes, {}, () => false)).toMatchObject({ searched: 0, missing: 1 });
  let asked = 0;
  expect(findAnyHolder(inodes, { uids: new Set([STRANGER]) }, () => ++asked < 3).searched).toBeLessThan(3);
});

testNeeding(["a network namespace"], "asked about nothing, the search asks nobody", () => {
  expect(findHolders(new Set()).searched).toBe(0);
  expect(findAnyHolder(new Set(), {}).searched).toBe(0);
});

/** The program of test/fixtures, compiled. */
function compileThreadHolder(): string {
  const directory = mkdtempSync(join(tmpdir(), "lastack-"));
  leftovers.push(() => rmSync(directory, { recursive: true }));
  const program = join(directory, "thread-holder");
  const { status, stderr } = spawnSync("cc", ["-pthread", "-o", program, HOLDER_SOURCE], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return program;
}

testNeeding(
  ["a network namespace", "a C compiler"],
  "a socket that is held by a thread whose process's first thread has ended is found",
  async () => {
    const fd = listener();
    const inode = inodeOf(fd);
    const { pid } = holder([fd], { command: [compileThreadHolder(), "leader"] });
    fd.close();
    await until("the end of the first thread", () => processFacts(pid)?.state === "Z");
    expect(visibleDescriptors(pid)).toEqual([]);
    const expected = new Map([[inode, [{ pid, fd: 3 }]]]);
    expect(scan(new Set([inode]))).toEqual(expected);
    expect(findHolders(new Set([inode]), Infinity).holders).toEqual(expected);
    expect(findHolders(new Set([inode]), 0).holders).toEqual(expected);
    expect(findAnyHolder(new Set([inode]), {}).holders).toEqual(expected);
  },
);

testNeeding(
  ["a network namespace", "a C compiler", "a second uid"],
  "a socket that only a thread with a descriptor table of its own holds is found where all processes may be read",
  async () => {
    const fd = listener();
    const { port } = localOf(fd);
    // Threads are not looked into where a process may not be read, and outside there may be one: so, a /proc without.
    const script = '"$0" table <&4 & exec 3<&- 4<&-; read go; exec "$@"';
    const command = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script];
    const ls = [process.execPath, CLI, "ls", "--json-lines", String(port)];
    const stdio = ["pipe" as const, "pipe" as const, "pipe" as const, fd.number, "pipe" as const];
    const inside = new Running([...command, compileThreadHolder(), ...ls], { stdio });
    await inside.says(/ready/);
    inside.child.stdin!.write("go\n");
    const { stdout, stderr } = await inside.ended();
    expect(stderr).toBe("");
    const { inode, owners } = JSON.parse(stdout.split("\n")[1]!) as { inode: number; owners: object[] };
    expect(inode).toBe(inodeOf(fd));
    expect(owners).toEqual([{ pid: expect.any(Number), fd: 3, program: "thread-holder" }]);
  },
);

testNeeding(
  ["a network namespace", "a second uid"],
  "an ordinary user finds their own processes and is told how many of others could not be read",
  () => {
    const [own, hidden] = [listener(), listener()];
    const inodes = new Set([own, hidden].map(inodeOf));
    const [ownInode, hiddenInode] = [...inodes] as [number, number];
    const mine = holder([own], { uid: NOBODY });
    for (let i = 0; i < 2; i++) holder([hidden], { uid: STRANGER });
    own.close();
    hidden.close();
    expect(findHolders(inodes).unreadable.has(STRANGER)).toBe(false); // root reads them

    process.setegid!(NOBODY);
    process.seteuid!(NOBODY);
    try {
      const { holders, unreadable } = findHolders(inodes);
      expect(findHolders(inodes, 0).holders).toEqual(holders); // the iterator is not for them
      expect(holders).toEqual(new Map([[ownInode, [{ pid: mine.pid, fd: 3 }]]]));
      expect(holders.has(hiddenInode)).toBe(false);
      expect(unreadable.get(STRANGER)).toBe(2);
      expect(unreadable.has(NOBODY)).toBe(false);
    } finally {
      process.seteuid!(0);
      process.setegid!(0);
    }
  },
);

testNeeding(
  ["a network namespace", "a second uid"],
  "one holder is found after asking only the processes of the user that is hinted at",
  () => {
    const fd = listener();
    const inode = inodeOf(fd);
    const { pid } = holder([fd], { uid: STRANGER });
    fd.close();
    const { holders, searched } = findAnyHolder(new Set([inode]), { uids: new Set([STRANGER]) });
    expect(holders).toEqual(new Map([[inode, [{ pid, fd: 3 }]]]));
    expect(searched).toBe(1);
  },
);

testNeeding(
  // The second uid: only the real root may look a control group up by its id.
  ["a network namespace", "a second uid"],
  "one holder is found after asking only the processes of the control group that is hinted at",
  (context) => {
    const mount = /^\S+ (\S+) cgroup2 /m.exec(readFileSync("/proc/self/mounts", "latin1"))?.[1];
    const group = `${mount}/lastack-test-${process.pid}`;
    try {
      mkdirSync(group);
    } catch {
      return lacking(context, "a hierarchy of control groups, version 2, that may be written to");
    }
    leftovers.push(() =>
      until("the removal of the control group", () => {
        try {
          rmdirSync(group);
          return true;
        } catch {
          return false; // its process has not quite ended
        }
      }),
    );
    const fd = listener();
    const inode = inodeOf(fd);
    const { pid } = holder([fd]);
    fd.close();
    writeFileSync(`${group}/cgroup.procs`, String(pid));
    const cgroupIds = new Set([statSync(group, { bigint: true }).ino]);
    const { holders, searched } = findAnyHolder(new Set([inode]), { cgroupIds });
    expect(holders).toEqual(new Map([[inode, [{ pid, fd: 3 }]]]));
    expect(searched).toBe(1);
  },
);

testNeeding(["a network namespace"], "one holder is found with wrong hints too", () => {
  const fd = listener();
  const inode = inodeOf(fd);
  const { pid } = holder([fd]);
  fd.close();
  const wrong = { uids: new Set([STRANGER]), cgroupIds: new Set([2n ** 40n]) };
  for (const hints of [wrong, {}]) {
    expect(findAnyHolder(new Set([inode]), hints).holders).toEqual(new Map([[inode, [{ pid, fd: 3 }]]]));
  }
});

testNeeding(["a network namespace"], "signals in between make no process disappear", () => {
  const fd = listener();
  const { pid } = holder([fd]);
  // The profiler sends one every 50 us, and each cuts short what the kernel lists of a directory just then.
  const profiled = [process.execPath, "--cpu-prof", "--cpu-prof-interval", "50", CLI, "ls", String(localOf(fd).port)];
  for (let i = 0; i < 5; i++) {
    const { stdout } = spawnSync(profiled[0]!, profiled.slice(1), { encoding: "utf8", cwd: tmpdir() });
    expect(stdout).toContain(`(${pid},fd=3)`);
  }
});
