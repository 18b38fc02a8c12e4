/** Output that goes nowhere, or not to a terminal. */
import { afterAll, beforeAll, expect } from "vitest";
import { enterNewNetworkNamespace } from "../../src/linux/namespace.ts";
import type { Fd } from "../../src/sys/index.ts";
import { CLI, lastack } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { boundSocket, linesOf, run } from "./helpers.ts";

const NAMESPACE = ["a network namespace"] as const;
const SOCKETS = 2000;

const fds: Fd[] = [];
beforeAll(() => {
  // Bound sockets are cheap, and a row of each as JSON makes more than any pipe holds.
  if (enterNewNetworkNamespace()) for (let i = 0; i < SOCKETS; i++) fds.push(boundSocket("127.0.0.1", 20_000 + i));
});
afterAll(() => {
  for (const fd of fds) fd.close();
});

/** Runs `lastack ARGS | READER`; what lastack alone said on standard error, and its status. */
function pipedInto(reader: string, ...args: string[]): { stdout: string; stderr: string; status: number } {
  const script = `{ "$@"; echo "status $?" >&2; } | ${reader}`;
  const { stdout, stderr } = run(["sh", "-c", script, "sh", process.execPath, CLI, ...args]);
  const [, said, status] = /^(.*)status (\d+)\n$/s.exec(stderr)!;
  return { stdout, stderr: said!, status: Number(status) };
}

const BIG = [["ls"], ["ls", "--json"], ["ls", "--json-lines"]];

for (const args of BIG) {
  testNeeding(NAMESPACE, `lastack ${args.join(" ")} | head -1: a reader that has seen enough is no error`, () => {
    const whole = lastack([...args]).stdout;
    expect(whole.length).toBeGreaterThan(200_000);
    const { stdout, stderr, status } = pipedInto("head -n 1", ...args);
    expect(linesOf(stdout)).toHaveLength(1);
    expect([stderr, status]).toEqual(["", 0]);
  });
}

testNeeding(NAMESPACE, "a reader that takes nothing at all is no error either", () => {
  expect(pipedInto("true", "ls", "--json-lines")).toEqual({ stdout: "", stderr: "", status: 0 });
});

testNeeding(NAMESPACE, "a full disk is told in one line, with status 1", () => {
  for (const args of [...BIG, ["--help"], ["ls", "--summary"], ["server"]]) {
    const { stderr, status } = run(["sh", "-c", '"$@" > /dev/full', "sh", process.execPath, CLI, ...args]);
    expect(stderr).toMatch(
      /^lastack( ls| server)?: standard output can't be written: ENOSPC \(28\): no space left on device; what it holds/,
    );
    expect(status).toBe(1);
  }
});

testNeeding(NAMESPACE, "a closed standard output or standard error is no crash", () => {
  const closed = run(["sh", "-c", '"$@" >&-', "sh", process.execPath, CLI, "--version"]);
  expect(closed.stderr).not.toContain("bug of lastack");
  const mute = run(["sh", "-c", '"$@" 2>&-', "sh", process.execPath, CLI, "ls", "time-wat"]);
  expect([mute.stdout, mute.status]).toEqual(["", 2]);
});

testNeeding(NAMESPACE, "no command asks anything or writes colours, however it is asked to", () => {
  const env = { ...process.env, FORCE_COLOR: "1", CLICOLOR_FORCE: "1", TERM: "xterm-256color" };
  for (const args of [["ls"], ["ls", "--summary"], ["ls", "--json"], ["--help"], ["nonsense"], ["client", "1"]]) {
    const { stdout, stderr } = lastack(args, { env });
    expect(stdout + stderr).not.toContain("\u001b");
    expect(stdout + stderr).not.toMatch(/\[y\/n\]/i);
  }
});
