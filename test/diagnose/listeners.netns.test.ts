/** Somebody listens: each way in which that comes about, made for real, diagnosed, and ended as the remedy says. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect } from "vitest";
import { processFacts } from "../../src/linux/process.ts";
import { AF_UNIX, SOCK_STREAM, socketpair } from "../../src/sys/index.ts";
import { CLI, endAll, lastack, Running } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { enterNamespace, localOf } from "../support/tcp.ts";
import { until } from "../support/until.ts";
import {
  apply,
  becomesFree,
  expectTruth,
  findingOf,
  flags,
  handOver,
  sendDescriptor,
  sockets,
  summary,
  why,
  type Told,
} from "./situation.ts";

const NAMESPACE = ["a network namespace"] as const;
const NOBODY = 65_534;

beforeEach(() => enterNamespace());
afterEach(async () => {
  sockets.close();
  await endAll();
});

testNeeding(NAMESPACE, "a live listener: who it is, and how to end it", async () => {
  const { pid } = handOver([sockets.listener("0.0.0.0", { port: 3000 })]);
  const told = why(3000);
  expect(summary(told)).toEqual(["listener", "EADDRINUSE", "EADDRINUSE"]);
  expect(told.headline).toMatch(
    new RegExp(`^Port 3000 is taken: cat \\(pid ${pid}, root\\) listens on 0\\.0\\.0\\.0:3000, running for \\d s$`),
  );
  expectTruth(told, 3000);
  apply(findingOf(told, "listener"), /free 3000$/);
  await becomesFree(3000);
  expect(summary(why(3000))).toEqual(["free", null, null]);
});

testNeeding(NAMESPACE, "the answer comes first, and short forms ask the same", () => {
  const { pid } = handOver([sockets.listener("0.0.0.0", { port: 3000 })]);
  for (const args of [["3000"], [":3000"], ["why", "3000"]]) {
    const { stdout, stderr, status } = lastack(args);
    const lines = stdout.split("\n");
    expect(lines[0]).toMatch(/^Port 3000 is taken: cat /);
    expect(lines[2]).toMatch(/^Proto Recv-Q/);
    expect(lines[3]).toMatch(new RegExp(`LISTEN .* cat\\(${pid},fd=3\\)$`));
    expect(stdout).toMatch(new RegExp(`\\n {2}/\\S+ /\\S+ free 3000\\n {6}end cat \\(pid ${pid}, root\\) `));
    expect([stderr, status]).toEqual(["", 1]);
  }
});

testNeeding(NAMESPACE, "a suspended listener has to be continued to end", async () => {
  const { pid } = handOver([sockets.listener("0.0.0.0", { port: 3001 })]);
  process.kill(pid, "SIGSTOP");
  await until("the stop", () => processFacts(pid)?.state === "T");
  const finding = findingOf(why(3001), "listener");
  expect(finding.detail.join("\n")).toContain("suspended");
  apply(finding, /free 3001$/);
  await becomesFree(3001);
});

testNeeding(NAMESPACE, "a listener that a child inherited from a program that has ended", async () => {
  const fd = sockets.listener("0.0.0.0", { port: 3002 });
  // With job control the inner shell begins a group; the child that it leaves behind stays in it.
  const script = "set -m; sh -c 'sleep 600 >/dev/null 2>&1 & echo child $!; exit'; echo ended; exec 3<&-; read go";
  const shell = handOver([fd], { command: ["bash", "-c", script] });
  const [, child] = await shell.says(/child (\d+)\n/);
  await shell.says(/ended/);
  try {
    await until("only the child to hold it", () => why(3002).findings[0]!.headline.startsWith("sleep"));
    const told = why(3002);
    const finding = findingOf(told, "inherited-listener");
    expect(finding.headline).toMatch(
      new RegExp(`^sleep \\(pid ${child}, root\\) listens .*inherited from pid \\d+, which has ended$`),
    );
    expectTruth(told, 3002);
    apply(finding, /free 3002$/);
    await becomesFree(3002);
  } finally {
    spawnSync("kill", ["-KILL", child!]);
  }
});

testNeeding(NAMESPACE, "the same in a container, whose first process adopts the child and is of its session", () => {
  const fd = sockets.listener("0.0.0.0", { port: 3005 });
  const script = "set -m; sh -c 'sleep 600 >/dev/null 2>&1 & exit'; exec 3<&-; \"$@\"";
  const inside = ["bash", "-c", script, "bash", process.execPath, CLI, "why", "3005", "--json"];
  const { stdout } = spawnSync("setsid", ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", ...inside], {
    stdio: ["ignore", "pipe", "inherit", fd.number],
    encoding: "utf8",
    timeout: 20_000,
  });
  fd.close();
  const [told] = (JSON.parse(stdout) as { ports: Told[] }).ports;
  expect(findingOf(told!, "inherited-listener").headline).toMatch(/^sleep .*inherited from pid \d+, which has ended$/);
});

testNeeding(NAMESPACE, "a holder that a container's process namespace does not show: nobody is blamed", async () => {
  const { pid } = handOver([sockets.listener("0.0.0.0", { port: 3009 })]);
  const inside = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", process.execPath, CLI, "why", "3009"];
  const { stdout, status } = spawnSync(inside[0]!, [...inside.slice(1), "--json"], { encoding: "utf8" });
  expect(status).toBe(1);
  const [told] = (JSON.parse(stdout) as { ports: [Told] }).ports;
  expect(summary(told)).toEqual(["unknown-holder", "EADDRINUSE", "EADDRINUSE"]);
  expect(told.headline).toContain("nobody holds the socket on 0.0.0.0:3009 that can be seen from here");
  // What the remedy says: on the host it can be seen.
  const finding = findingOf(why(3009), "listener");
  expect(finding.headline).toContain(`pid ${pid}`);
  apply(finding, /free 3009$/);
  await becomesFree(3009);
});

testNeeding(NAMESPACE, "one listener held by several programs: all of them are named, and ended together", async () => {
  const fd = sockets.listener("0.0.0.0", { port: 3003 });
  const shell = handOver([fd], { command: ["bash", "-c", "sleep 600 & read go"] });
  const programs = () => why(3003).processes.map(({ program }) => program);
  await until("both to hold it", () => programs().includes("sleep"));
  const told = why(3003);
  const finding = findingOf(told, "inherited-listener");
  expect(told.processes.map(({ program }) => program).sort()).toEqual(["bash", "sleep"]);
  expect(told.processes.map(({ pid }) => pid)).toContain(shell.pid);
  apply(finding, /free 3003$/);
  await becomesFree(3003);
});

testNeeding(
  ["a network namespace", "a C compiler"],
  "a listener of a process whose first thread has ended",
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "lastack-"));
    try {
      const program = join(directory, "thread-holder");
      const source = fileURLToPath(new URL("../fixtures/thread-holder.c", import.meta.url));
      expect(spawnSync("cc", ["-pthread", "-o", program, source]).status).toBe(0);
      const { pid } = handOver([sockets.listener("0.0.0.0", { port: 3004 })], { command: [program, "leader"] });
      await until("the end of the first thread", () => processFacts(pid)?.state === "Z");
      const told = why(3004);
      expect(summary(told)).toEqual(["zombie-leader", "EADDRINUSE", "EADDRINUSE"]);
      expect(told.headline).toContain(`pid ${pid}`);
      apply(findingOf(told, "zombie-leader"), /free 3004$/);
      await becomesFree(3004);
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
);

testNeeding(["a network namespace", "a second uid"], "another user's process is hidden: its user is told", async () => {
  const { pid } = handOver([sockets.listener("0.0.0.0", { port: 3005 })]);
  const told = why(3005, [], NOBODY);
  expect(summary(told)).toEqual(["other-users-process", "EADDRINUSE", "EADDRINUSE"]);
  expect(told.headline).toMatch(
    /a process that may not be looked into listens on 0\.0\.0\.0:3005; its socket belongs to root$/,
  );
  expect(told.unknowns.join("\n")).toContain("of root");
  const { stdout } = lastack(["3005"], { uid: NOBODY });
  expect(stdout).toMatch(/To see all: sudo .*3005\n$/);
  // Root, as it says, sees which one it is.
  const finding = findingOf(why(3005), "listener");
  expect(finding.headline).toContain(`pid ${pid}`);
  apply(findingOf(told, "other-users-process"), /^sudo .* free 3005$/);
  await becomesFree(3005);
});

testNeeding(NAMESPACE, "a listener in a message on its way: whose Unix socket it is", async () => {
  const fd = sockets.listener("0.0.0.0", { port: 3006 });
  const [left, right] = socketpair(AF_UNIX, SOCK_STREAM);
  sendDescriptor(left, fd);
  const { pid } = handOver([left, right]);
  fd.close();
  const told = why(3006);
  expect(summary(told)).toEqual(["in-flight", "EADDRINUSE", "EADDRINUSE"]);
  const finding = findingOf(told, "in-flight");
  expect(finding.detail.join("\n")).toContain(`cat (pid ${pid})`);
  expectTruth(told, 3006);
  apply(finding, /^kill/);
  await becomesFree(3006);
});

testNeeding(NAMESPACE, "a program that asks about the port on which it listens itself", () => {
  const fd = sockets.listener("0.0.0.0", { flags: 0, prepare: flags({ reuseAddress: true }) });
  const told = why(localOf(fd).port);
  expect(summary(told)).toEqual(["same-program", "EADDRINUSE", "EADDRINUSE"]);
  expect(findingOf(told, "same-program").detail.join("\n")).toContain(`pid ${process.pid} started this very command`);
});

testNeeding(
  ["a network namespace", "systemd-socket-activate"],
  "a socket that systemd-socket-activate holds",
  async () => {
    const activator = new Running(["systemd-socket-activate", "--listen=3007", "cat"]);
    await activator.says(/Listening on/);
    const told = why(3007);
    expect(summary(told)).toEqual(["systemd-socket", "EADDRINUSE", "EADDRINUSE"]);
    apply(findingOf(told, "systemd-socket"), /free 3007$/);
    await becomesFree(3007);
  },
);

testNeeding(NAMESPACE, "a listener in another network namespace is no conflict, and not blamed", async () => {
  const script = `
    const server = require("node:net").createServer().listen(3008, "127.0.0.1", () => console.log("listens"));
    process.stdin.on("end", () => server.close()).resume();`;
  const command = ["unshare", "--net", "sh", "-c", 'ip link set lo up 2>/dev/null; exec "$@"', "sh", process.execPath];
  const other = new Running([...command, "-e", script], { stdio: ["pipe", "pipe", "pipe"] });
  await until("it to listen or not", () => /listens|Error/.test(other.stdout + other.stderr));
  expect(other.stdout).toContain("listens");
  const told = why(3008);
  expect(summary(told)).toEqual(["free", null, null]);
  const finding = findingOf(told, "other-namespace");
  expect(finding).toMatchObject({ blocks: false, headline: expect.stringContaining(`node (pid ${other.pid})`) });
  expectTruth(told, 3008);
});
