import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { basename, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { commName, containerIdOf, processFacts, programName, unitOf } from "../../src/linux/process.ts";
import { endAll, Running } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { until } from "../support/until.ts";

let directory: string | undefined;
afterEach(async () => {
  await endAll();
  if (directory !== undefined) rmSync(directory, { recursive: true });
  directory = undefined;
});

/** A directory of the test's own, without symbolic links in its path. */
function newDirectory(): string {
  return (directory = realpathSync(mkdtempSync(join(tmpdir(), "lastack-"))));
}

/** Starts a program that waits for the end of its standard input. */
function startWaiting(command: readonly string[], options: { cwd?: string; uid?: number } = {}): Running {
  const gid = options.uid === undefined ? {} : { gid: options.uid };
  return new Running(command, { stdio: ["pipe", "pipe", "pipe"], ...options, ...gid });
}

test("this process's own facts are those that Node knows", () => {
  const facts = processFacts(process.pid)!;
  expect(facts).toMatchObject({
    pid: process.pid,
    program: basename(realpathSync(process.execPath)),
    comm: commName(process.pid),
    uid: process.getuid!(),
    user: userInfo().username,
    workingDirectory: process.cwd(),
  });
  expect(facts.arguments![0]).toMatch(/node/);
  expect(facts.parents[0]!.pid).toBe(process.ppid);
  expect(Math.abs(facts.startedAtMs - (Date.now() - process.uptime() * 1000))).toBeLessThan(2000);
});

test("a child's facts are those that it was started with, and its parents lead here", () => {
  const cwd = newDirectory();
  const { pid } = startWaiting(["sh", "-c", "read line", "a b", "", "c\nd"], { cwd });
  const facts = processFacts(pid)!;
  expect(facts).toMatchObject({
    pid,
    program: programName(pid),
    comm: "sh",
    arguments: ["sh", "-c", "read line", "a b", "", "c\nd"],
    uid: process.getuid!(),
    workingDirectory: cwd,
  });
  expect(facts.state).toMatch(/^[RSD]$/);
  expect(Math.abs(facts.startedAtMs - Date.now())).toBeLessThan(2000);
  expect(facts.parents.slice(0, 2).map((parent) => parent.pid)).toEqual([process.pid, process.ppid]);
  expect(facts.parents[0]!.program).toBe(programName(process.pid));
});

test("a parent that interprets is told with what it runs, not with an option's value or a program's text", async () => {
  const script = join(newDirectory(), "parent.js");
  const child = "require('child_process').spawn('cat', { stdio: 'inherit' })";
  writeFileSync(script, child);
  for (const [args, expected] of [
    [["--require", "node:net", script], "parent"],
    [["--eval", child], undefined],
  ] as const) {
    const parent = startWaiting([process.execPath, ...args]);
    const children = () => readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, "latin1").trim();
    await until("its child", () => children() !== "");
    const facts = processFacts(Number(children()))!;
    expect(facts.parents[0]).toEqual({ pid: parent.pid, program: "node", ...(expected && { script: expected }) });
  }
});

testNeeding(["a second uid"], "a process of another user has that user's id and name", () => {
  const { pid } = startWaiting(["cat"], { uid: 65_534 });
  expect(processFacts(pid)).toMatchObject({ uid: 65_534, user: "nobody" });
  const unnamed = startWaiting(["cat"], { uid: 54_321 });
  expect(processFacts(unnamed.pid)).toMatchObject({ uid: 54_321, user: "54321" });
});

test("names with spaces, brackets and line ends do not shift what follows them", () => {
  newDirectory();
  const names = [
    "two words",
    "a) R 1 (b",
    ") Z 1 1 1",
    "((",
    "))",
    "line\nend",
    "end\n",
    "\nUid:\t4242",
    " (deleted)x",
  ];
  for (const name of names) {
    const program = join(directory!, name);
    copyFileSync("/bin/sh", program);
    const { pid } = startWaiting([program, "-c", "read line"]);
    expect(processFacts(pid)).toMatchObject({
      program: name,
      comm: name,
      arguments: [program, "-c", "read line"],
      uid: process.getuid!(),
      parents: expect.arrayContaining([
        expect.objectContaining({ pid: process.pid, program: programName(process.pid) }),
      ]),
    });
    expect(Math.abs(processFacts(pid)!.startedAtMs - Date.now())).toBeLessThan(2000);
    expect(commName(pid)).toBe(name);
  }
});

test("a program's long name is whole, the kernel's short one cut off, also when its file is gone", () => {
  const program = join(newDirectory(), "a-name-of-more-than-fifteen-bytes");
  copyFileSync("/bin/sh", program);
  const { pid } = startWaiting([program, "-c", "read line"]);
  rmSync(program);
  expect(programName(pid)).toBe("a-name-of-more-than-fifteen-bytes");
  expect(commName(pid)).toBe("a-name-of-more-");
  expect(processFacts(pid)).toMatchObject({ program: programName(pid), comm: commName(pid) });
});

test("a working directory that is gone does not hide the rest", () => {
  const cwd = join(newDirectory(), "gone");
  mkdirSync(cwd);
  const { pid } = startWaiting(["cat"], { cwd });
  rmSync(cwd, { recursive: true });
  expect(processFacts(pid)).toMatchObject({ pid, comm: "cat" });
});

test("a process that has ended has no facts", async () => {
  const child = startWaiting(["cat"]);
  expect(processFacts(child.pid)).toBeDefined();
  await child.end("SIGKILL");
  expect(processFacts(child.pid)).toBeUndefined();
  expect(programName(child.pid)).toBeUndefined();
  expect(commName(child.pid)).toBeUndefined();
});

const ID = "0123456789abcdef".repeat(4);
const CGROUPS: { of: string; path: string; unit: string | null; container: string | null }[] = [
  { of: "the root", path: "/", unit: null, container: null },
  { of: "a service", path: "/system.slice/nginx.service", unit: "nginx.service", container: null },
  {
    of: "an instance",
    path: "/system.slice/system-getty.slice/getty@tty1.service",
    unit: "getty@tty1.service",
    container: null,
  },
  { of: "a part of a service", path: "/system.slice/ssh.service/workers/1", unit: "ssh.service", container: null },
  { of: "a session", path: "/user.slice/user-1000.slice/session-2.scope", unit: "session-2.scope", container: null },
  {
    of: "a user's application",
    path: "/user.slice/user-1000.slice/user@1000.service/app.slice/app-term-42.scope",
    unit: "app-term-42.scope",
    container: null,
  },
  { of: "docker with systemd", path: `/system.slice/docker-${ID}.scope`, unit: `docker-${ID}.scope`, container: ID },
  { of: "docker with cgroupfs", path: `/docker/${ID}`, unit: null, container: ID },
  { of: "systemd in docker", path: `/docker/${ID}/system.slice/cron.service`, unit: "cron.service", container: ID },
  {
    of: "containerd in kubernetes",
    path: `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0a1b.slice/cri-containerd-${ID}.scope`,
    unit: `cri-containerd-${ID}.scope`,
    container: ID,
  },
  {
    of: "containerd in kubernetes, older spelling",
    path: `/system.slice/containerd.service/kubepods-besteffort-pod0a1b.slice:cri-containerd:${ID}`,
    unit: "containerd.service",
    container: ID,
  },
  { of: "kubernetes with cgroupfs", path: `/kubepods/burstable/pod0a1b/${ID}`, unit: null, container: ID },
  { of: "podman", path: `/machine.slice/libpod-${ID}.scope`, unit: `libpod-${ID}.scope`, container: ID },
  {
    of: "podman without root",
    path: `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope/container`,
    unit: `libpod-${ID}.scope`,
    container: ID,
  },
  {
    of: "podman's monitor, outside the container",
    path: `/machine.slice/libpod-conmon-${ID}.scope`,
    unit: `libpod-conmon-${ID}.scope`,
    container: null,
  },
  { of: "digits that are too many", path: `/docker/${ID}0`, unit: null, container: null },
];

test.each(CGROUPS)("the control group of $of tells unit and container", ({ path, unit, container }) => {
  expect([unitOf(path), containerIdOf(path)]).toEqual([unit, container]);
});
