/** Nobody reads what is said, or it can't be written: what was asked for happens all the same, and the status is the answer. */
import { spawnSync } from "node:child_process";
import { afterEach, beforeEach, expect } from "vitest";
import { bindsNow, handOver, sockets } from "../diagnose/situation.ts";
import { CLI, endAll, type Running } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { enterNamespace } from "../support/tcp.ts";
import { holder, NAMESPACE, runs } from "./freeing.ts";

beforeEach(() => enterNamespace());
afterEach(async () => {
  sockets.close();
  await endAll();
});

/** The status of `lastack ARGS`, whose output goes into a pipe that has no reader any more, or a disk that is full. */
function statusOf(args: readonly string[], where: "unread" | "unread, both" | "full disk"): number {
  const command = {
    unread: '{ trap "" PIPE; while echo x; do :; done 2> /dev/null; "$@"; echo "status $?" >&2; } | true',
    "unread, both": '{ trap "" PIPE; while echo x; do :; done 2> /dev/null; "$@" 2>&1; echo "status $?" >&2; } | true',
    "full disk": '"$@" > /dev/full; echo "status $?" >&2',
  }[where];
  const shell = ["-c", command, "sh", process.execPath, CLI, ...args];
  const { stderr } = spawnSync("sh", shell, { encoding: "utf8", timeout: 20_000 });
  return Number(/^status (\d+)$/m.exec(stderr)?.[1]);
}

/** A shell and its child, which both hold the listener: the one is told to end before the other. */
async function two(port: number): Promise<Running> {
  const fd = sockets.listener("0.0.0.0", { port });
  const shell = handOver([fd], { command: ["bash", "-c", "sleep 600 & echo both; wait"] });
  await shell.says(/both/);
  return shell;
}

for (const where of ["unread", "unread, both"] as const) {
  testNeeding(NAMESPACE, `free --yes, ${where}: all holders are ended`, async () => {
    const shell = await two(3050);
    expect(statusOf(["free", "3050", "--yes"], where)).toBe(0);
    expect(bindsNow("0.0.0.0", 3050)).toBe(true);
    await shell.ended();
  });

  testNeeding(NAMESPACE, `the status is the answer, ${where}`, () => {
    const other = holder(3051);
    expect(statusOf(["3051"], where)).toBe(1);
    expect(statusOf(["3051", "--json"], where)).toBe(1);
    expect(statusOf(["free", "3051"], where)).toBe(1);
    expect(statusOf(["free", "3051", "--dry-run"], where)).toBe(1);
    expect(statusOf(["wait", "3051", "--timeout", "10ms"], where)).toBe(1);
    expect(statusOf(["wait", "3052"], where)).toBe(0);
    expect(statusOf(["reuse", "3052"], where)).toBe(1);
    expect(runs(other)).toBe(true);
  });
}

testNeeding(NAMESPACE, "a full disk: free does nothing, for it can't say what it would do", () => {
  const other = holder(3053);
  expect(statusOf(["free", "3053", "--yes"], "full disk")).toBe(1);
  expect(runs(other)).toBe(true);
});
