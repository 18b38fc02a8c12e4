/** Where /proc does not show who holds a socket: it is said, and nobody is said to have looked into all processes. */
import { spawnSync } from "node:child_process";
import { afterEach, beforeEach, expect } from "vitest";
import { enterNewNetworkNamespace } from "../../src/linux/namespace.ts";
import { lastack } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { Sockets } from "../support/tcp.ts";
import { copyCli, makeDirectory, removeDirectory } from "./helpers.ts";

const sockets = new Sockets();
let directory = "";
let cli = "";
beforeEach(() => {
  directory = makeDirectory();
  cli = copyCli(directory);
  enterNewNetworkNamespace();
});
afterEach(() => {
  sockets.close();
  removeDirectory(directory);
});

/** Runs lastack where /proc is mounted so; process 1 there, root's, listens on port 3000. The host's own /proc stays. */
function where(mount: string, { uid = 65_534 } = {}) {
  const fd = sockets.listener("127.0.0.1", { port: 3000 });
  return (...args: string[]) => {
    const user = `setpriv --reuid ${uid} --regid ${uid} --clear-groups`;
    const script = `${mount} && { ${user} "$@" 3<&-; exit $?; }`;
    const command = ["--pid", "--fork", "--kill-child", "--mount", "sh", "-c", script, "sh", process.execPath, cli];
    const stdio = ["ignore", "pipe", "pipe", fd.number] as const;
    const { stdout, stderr, status } = spawnSync("unshare", [...command, ...args], {
      stdio: [...stdio],
      encoding: "utf8",
    });
    return { stdout, stderr, status };
  };
}

const NEEDS = ["a network namespace", "a PID namespace", "a second uid"] as const;
const HIDDEN = "/proc shows the processes of other users to root alone (its mount option hidepid)";

testNeeding(NEEDS, "hidepid=2: another user's process, and root is asked for", () => {
  const run = where("mount -t proc -o hidepid=2 proc /proc");
  const why = run("3000");
  expect(why.stdout).toMatch(/^Port 3000 is taken: a process that may not be looked into listens on 127.0.0.1:3000/);
  expect(why.stdout).toContain(HIDDEN);
  expect(why.stdout).not.toContain("all processes here were looked into");
  const json = JSON.parse(run("3000", "--json").stdout) as {
    ports: [{ hidden: string; findings: [{ cause: string }] }];
  };
  expect(json.ports[0].hidden).toBe("hidepid");
  expect(json.ports[0].findings[0].cause).toBe("other-users-process");

  const ls = run("ls", "3000");
  expect(ls.stdout).toMatch(/ LISTEN .* \?\n$/);
  expect(ls.stderr).toContain(`${HIDDEN}; an owner shown as ? may be one of them. To see all: sudo `);
  expect(run("free", "3000", "--yes")).toMatchObject({ status: 3, stdout: expect.stringMatching(/As root: sudo /) });
  expect(run("reuse", "3000")).toMatchObject({ status: 3, stdout: expect.stringContaining("not permitted (EPERM)") });
});

testNeeding(NEEDS, "hidepid=1: they are counted as those that may not be read", () => {
  const { stdout } = where("mount -t proc -o hidepid=1 proc /proc")("3000");
  expect(stdout).toMatch(/^Port 3000 is taken: a process that may not be looked into listens on 127.0.0.1:3000/);
  expect(stdout).toMatch(/processes whose descriptors may not be read: 1 of root/);
});

testNeeding(NEEDS, "root sees all in spite of hidepid", () => {
  const { stdout } = where("mount -t proc -o hidepid=2 proc /proc", { uid: 0 })("3000");
  expect(stdout).toMatch(/^Port 3000 is taken: \S+ \(pid 1, root\) listens on 127.0.0.1:3000/);
});

testNeeding(NEEDS, "no /proc: nobody is seen, and that is why", () => {
  const run = where("mount -t tmpfs none /proc", { uid: 0 });
  const { stdout, status } = run("3000");
  expect(stdout).toMatch(/^Port 3000 is taken: nobody holds the socket on 127.0.0.1:3000 that can be seen from here\n/);
  expect(stdout).toContain("/proc is not mounted: no process could be looked into");
  expect(status).toBe(1);
  expect(run("ls", "3000").stdout).toMatch(/ LISTEN .* \?\n$/);
});

testNeeding(["a network namespace"], "where all is seen, nothing is hidden", () => {
  sockets.listener("127.0.0.1", { port: 3000 });
  const { ports } = JSON.parse(lastack(["3000", "--json"]).stdout) as { ports: [{ hidden: null }] };
  expect(ports[0].hidden).toBe(null);
});
