/** `lastack free`: who is not ended, or only by force, and who is asked. */
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { makeDirectory, removeDirectory } from "../cli/helpers.ts";
import { bindsNow, handOver, sockets } from "../diagnose/situation.ts";
import { endAll, lastack, Running, start } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { enterNamespace } from "../support/tcp.ts";
import { free, holder, NAMESPACE, NOBODY, runs } from "./freeing.ts";

beforeEach(() => enterNamespace());
let directory: string | undefined;
afterEach(async () => {
  sockets.close();
  await endAll();
  if (directory !== undefined) removeDirectory(directory);
  directory = undefined;
});

testNeeding(NAMESPACE, "on a terminal it asks; anything but yes is no, Ctrl-C and the end of input too", async () => {
  const target = holder(3027);
  const [node, cli] = start([]).child.spawnargs as [string, string];
  const ask = async (answer: string) => {
    const command = ["script", "-qec", `"${node}" "${cli}" free 3027`, "/dev/null"];
    const asking = new Running(command, { stdio: ["pipe", "pipe", "pipe"] });
    await asking.says(/To end, in this order\r\n {2}cat .*\r\n[^]*Go on\? \[y\/N\]/);
    asking.child.stdin!.write(answer);
    return asking.ended();
  };
  for (const answer of ["\r", "n\r", "\x03", "\x04"]) {
    const { stdout, status } = await ask(answer);
    expect(stdout).toMatch(/Nothing was ended\r\n$/);
    expect([status, runs(target)]).toEqual([1, true]);
  }
  expect((await ask("y\r")).status).toBe(0);
  expect((await target.ended()).signal).toBe("SIGTERM");
});

testNeeding(NAMESPACE, "never who started it", async () => {
  const fd = sockets.listener("0.0.0.0", { port: 3010 });
  const shell = handOver([fd], {
    command: [
      "bash",
      "-c",
      'echo $("$0" "$1" free 3010 --yes 3<&-); echo alive',
      process.execPath,
      start([]).child.spawnargs[1]!,
    ],
  });
  await shell.says(/alive/);
  expect(shell.stdout).toMatch(/bash \(pid \d+, root\) started this very command, and is not ended by it/);
});

/** A program under another name, as it is told apart by its file. */
function named(name: string, original: string): string {
  directory ??= makeDirectory();
  copyFileSync(original, join(directory, name));
  return join(directory, name);
}

testNeeding(NAMESPACE, "a container engine only by force; the command that ends the container is named", async () => {
  const proxy = handOver([sockets.listener("0.0.0.0", { port: 3022 })], {
    command: [named("docker-proxy", "/bin/cat")],
  });
  const { stdout, status } = free("3022", "--yes");
  expect(stdout).toMatch(/Nothing is ended:\n  docker-proxy .* for a container\n  docker-proxy .* only with --force/);
  expect(stdout).toMatch(/docker stop \$\(docker ps --quiet --filter publish=3022\)/);
  expect([status, runs(proxy)]).toEqual([1, true]);
  expect(free("3022", "--yes", "--force").status).toBe(0);
  expect((await proxy.ended()).signal).toBe("SIGTERM");
});

testNeeding(NAMESPACE, "the sshd of this login only by force", async () => {
  const fd = sockets.listener("0.0.0.0", { port: 3023 });
  const [node, cli] = start([]).child.spawnargs as [string, string];
  const script = '"$0" "$1" free 3023 --yes 3<&-; "$0" "$1" free 3023 --dry-run --force 3<&-; echo alive';
  const sshd = handOver([fd], { command: [named("sshd-session", "/bin/bash"), "-c", script, node, cli] });
  await sshd.says(/alive/);
  expect(sshd.stdout).toMatch(/sshd-session \(pid \d+, root\) is ended only with --force: much depends on it\n/);
  expect(sshd.stdout).toMatch(/To end, in this order\n  sshd-session/);
});

testNeeding(NAMESPACE, "who would start it again is ended first", async () => {
  const fd = sockets.listener("0.0.0.0", { port: 3024 });
  const script = named("nodemon", "/dev/null");
  writeFileSync(
    script,
    `const start = () => {
       const child = require("node:child_process").spawn("cat", { stdio: ["pipe", "ignore", "ignore", 3] });
       child.on("exit", start).on("spawn", () => console.log("started"));
     };
     start();`,
  );
  const watcher = handOver([fd], { command: [process.execPath, script] });
  await watcher.says(/started/);
  const { stdout, status } = free("3024", "--yes");
  expect(stdout).toMatch(new RegExp(`SIGTERM to node \\(pid ${watcher.pid}, root\\)\\nSIGTERM to cat`));
  expect([status, bindsNow("0.0.0.0", 3024)]).toEqual([0, true]);
  await watcher.ended();
});

testNeeding(
  ["a network namespace", "systemd-socket-activate"],
  "systemd-socket-activate is a program like others",
  async () => {
    const activator = new Running(["systemd-socket-activate", "--listen=3025", "cat"]);
    await activator.says(/Listening on/);
    expect(free("3025", "--yes").status).toBe(0);
    expect((await activator.ended()).signal).toBe("SIGTERM");
  },
);

testNeeding(NAMESPACE, "PID 1 only by force", async () => {
  const fd = sockets.listener("0.0.0.0", { port: 3011 });
  const script = '"$0" "$1" free 3011 --yes 3<&-; echo status $?; "$0" "$1" free 3011 --yes --force 3<&- & wait';
  const cli = start([]).child.spawnargs[1]!;
  const told = new Running(
    [
      "unshare",
      "--pid",
      "--fork",
      "--mount-proc",
      "--kill-child",
      "bash",
      "-c",
      `trap 'echo told to end; exit' TERM; ${script}`,
      process.execPath,
      cli,
    ],
    { stdio: ["ignore", "pipe", "pipe", fd.number] },
  );
  fd.close();
  const { stdout } = await told.ended();
  expect(stdout).toMatch(/bash \(pid 1, root\) is ended only with --force: much depends on it\nstatus 1\n/);
  expect(stdout).toMatch(/told to end\n/);
});

testNeeding(
  ["a network namespace", "a second uid"],
  "another user's process: nobody ends, and the line for root is there",
  () => {
    const target = holder(3012);
    const { stdout, status } = lastack(["free", "3012", "--yes"], { uid: NOBODY });
    expect(stdout).toMatch(/Nothing is ended:\n  a process that may not be looked into listens on 0\.0\.0\.0:3012/);
    expect(stdout).toMatch(/As root: sudo \/\S+ \/\S+lastack\.cjs free 3012 --yes\n/);
    expect([status, runs(target)]).toEqual([3, true]);
  },
);

testNeeding(
  ["a network namespace", "a second uid"],
  "a port that takes a privilege: nothing to end, and status 3",
  () => {
    const { stdout, status } = lastack(["free", "80", "--yes"], { uid: NOBODY });
    expect(stdout).toMatch(/Nothing is ended:\n  ports below 1024 take .*, which user nobody does not have/);
    expect(status).toBe(3);
  },
);
