/** `lastack lab` and `lastack view`, as users run them. */
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { readTrace } from "../../src/trace/schema.ts";
import { endAll, lastack, Running, type Outcome } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { until } from "../support/until.ts";
import { compile, copyCli, linesOf, makeDirectory, processesWith, removeDirectory, run } from "./helpers.ts";

let directory = "";
let cli = "";
beforeAll(() => {
  directory = makeDirectory();
  cli = copyCli(directory);
  run(["chmod", "-R", "a+rX", directory]);
});
afterAll(() => removeDirectory(directory));
afterEach(endAll);

const NAMESPACE = ["a network namespace"] as const;
const lab = (...args: string[]) => run([process.execPath, cli, "lab", ...args]);
const labProcess = () => join(directory, "dist", "lab-process.cjs");

describe("what there is", () => {
  test("list names every experiment with its claims; show tells what it is about", () => {
    const { stdout, status } = lastack(["lab", "list"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^restart +A3 .*\n/m);
    const { experiments } = JSON.parse(lastack(["lab", "list", "--json"]).stdout) as {
      experiments: { id: string; article: string }[];
    };
    expect(linesOf(stdout)).toHaveLength(experiments.length);
    const shown = lastack(["lab", "show", "restart"]);
    expect(shown.stdout).toContain(experiments.find(({ id }) => id === "restart")!.article);
  });

  test.each([
    [["lab"], /lab what\? list, show or run/],
    [["lab", "fly"], /lab knows no 'fly'/],
    [["lab", "list", "--json", "x"], /lab list takes no 'x'/],
    [["lab", "show"], /takes the id of one experiment/],
    [["lab", "show", "nothing-like-it"], /there is no experiment 'nothing-like-it'/],
    [["lab", "run", "last-ack"], /did you mean .*last-ack-lost/],
    [["lab", "run"], /run what\?/],
    [["lab", "run", "--all", "restart"], /either --all or the ids/],
    [["lab", "run", "restart", "--link", "carrier-pigeon"], /--link carrier-pigeon: expected tun or veth/],
    [["lab", "run", "restart", "--repeat", "0"], /--repeat 0: expected a whole number/],
    [["lab", "run", "restart", "--width", "7"], /--width 7/],
    [["lab", "run", "last-ack-lost", "--server", "x"], /--server goes with lab run restart/],
    [["lab", "run", "restart", "--svg", "/nowhere/x.svg"], /\/nowhere\/x\.svg can't be written: ENOENT/],
    [["lab", "run", "restart", "--json", "/tmp"], /\/tmp is a directory/],
    [["view"], /view takes one file/],
  ])("%j is refused, with what would be right", (args, message) => {
    const { stdout, stderr, status } = lastack(args);
    expect([stdout, status]).toEqual(["", 2]);
    expect(stderr).toMatch(message);
  });
});

describe("a run", () => {
  testNeeding(NAMESPACE, "tells the story, judges the claim, and leaves its trace in every form", () => {
    const file = (name: string) => join(directory, name);
    const files = [
      "--json",
      file("t.json"),
      "--svg",
      file("t.svg"),
      "--html",
      file("t.html"),
      "--pcap",
      file("t.pcapng"),
    ];
    const { stdout, stderr, status } = lab("run", "last-ack-lost", "--width", "80", ...files);
    expect([stderr, status]).toEqual(["", 0]);
    expect(stdout).toMatch(/TIME-WAIT restarted/);
    expect(stdout).toMatch(/^A8 holds/m);
    expect(Math.max(...linesOf(stdout).map((line) => line.length))).toBeLessThanOrEqual(80);
    const read = readTrace(readFileSync(file("t.json"), "utf8"));
    if (!read.ok) throw new Error(`${read.where}: ${read.problem}`);
    expect(read.trace.outcome.status).toBe("done");
    expect(readFileSync(file("t.svg"), "utf8")).toMatch(/^<svg |^<\?xml/);
    expect(readFileSync(file("t.html"), "utf8")).toMatch(/^<!doctype html>/i);
    expect(readFileSync(file("t.pcapng")).readUInt32LE(0)).toBe(0x0a0d0d0a);
    const again = lastack(["view", file("t.json"), "--width", "80"]);
    expect(again).toMatchObject({ status: 0, stderr: "", stdout });
  });

  testNeeding(NAMESPACE, "can be repeated, and says how often the expectations held", () => {
    const { stdout, status } = lab("run", "last-ack-lost", "--repeat", "3");
    expect([stdout, status]).toEqual(["last-ack-lost: the expectations held 3 of 3 times\n", 0]);
  });

  testNeeding(NAMESPACE, "ends quietly when nobody reads any more", () => {
    const script = `{ "$@"; echo "status $?" >&2; } | head -n 3`;
    const { stdout, stderr } = run(["sh", "-c", script, "sh", process.execPath, cli, "lab", "run", "last-ack-lost"]);
    expect([linesOf(stdout).length, stderr]).toEqual([3, "status 0\n"]);
  });

  testNeeding([...NAMESPACE, "a second uid"], "works for a user without privileges too", () => {
    const { stdout, stderr, status } = run([process.execPath, cli, "lab", "run", "last-ack-lost"], { uid: 65534 });
    expect([stderr, status]).toEqual(["", 0]);
    expect(stdout).toMatch(/^A8 holds/m);
  });

  testNeeding(
    [...NAMESPACE, "a second uid"],
    "without a namespace says which setting refuses, and what grants it",
    () => {
      // In a user namespace whose limit is 0, made by somebody who may not lift it.
      const script = `echo 0 > /proc/sys/user/max_net_namespaces && exec "$@"`;
      const command = ["unshare", "--user", "--map-root-user", "sh", "-c", script, "sh", process.execPath, cli];
      const { stdout, stderr, status } = run([...command, "lab", "run", "restart"], { uid: 65534 });
      expect([stdout, status]).toEqual(["", 3]);
      expect(stderr).toMatch(/user\.max_net_namespaces is 0/);
      expect(stderr).toMatch(/sysctl -w user\.max_net_namespaces=/);
    },
  );
});

describe("a program as an actor: does this server survive a restart?", () => {
  const verdict = ({ stdout }: Outcome) => linesOf(stdout).slice(-3).join(" ");

  testNeeding([...NAMESPACE, "a C compiler"], "the tutorial's server does not", () => {
    const server = compile("article-server", join(directory, "article-server"));
    const outcome = lab("run", "restart", "--server", server, "--width", "200");
    expect(verdict(outcome)).toMatch(
      /does not survive a restart: a socket in TIME-WAIT was left on port 8000.*errno = 98/,
    );
    expect(outcome.status).toBe(1);
  });

  testNeeding(NAMESPACE, "a Node HTTP server does: libuv sets SO_REUSEADDR", () => {
    const script = join(directory, "http-server.cjs");
    writeFileSync(script, `require("node:http").createServer((_, answer) => answer.end("hi")).listen(3000);\n`);
    const outcome = lab("run", "restart", "--server", `'${process.execPath}' '${script}'`, "--width", "200");
    expect(verdict(outcome)).toMatch(/survives a restart: a socket in TIME-WAIT was left on port 3000/);
    expect(outcome.status).toBe(0);
  });

  testNeeding(NAMESPACE, "one on loopback only is tried from its own host", () => {
    const outcome = lab(
      "run",
      "restart",
      "--server",
      `'${process.execPath}' '${cli}' server 127.0.0.1:9000`,
      "--width",
      "200",
    );
    expect(outcome.stdout).toContain("It listens on loopback only");
    expect(verdict(outcome)).toMatch(/does not survive a restart: .* on port 9000/);
  });

  testNeeding(NAMESPACE, "one that never listens is told, with its last words", () => {
    const { stdout, status } = lab("run", "restart", "--server", "echo no such luck; exit 7", "--width", "200");
    expect(stdout).toMatch(/the server ended with exit status 7; it says: no such luck/);
    expect(status).toBe(1);
  });
});

/** The network namespaces that these processes live in, and whether anybody does in one of them. */
function namespacesOf(pids: readonly number[]): string[] {
  const found = new Set<string>();
  for (const pid of pids) {
    try {
      found.add(readlinkSync(`/proc/${pid}/ns/net`));
    } catch {
      // it has ended, or may not be read
    }
  }
  return [...found];
}

function isInhabited(namespaces: readonly string[]): boolean {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return namespacesOf(pids.map(Number)).some((namespace) => namespaces.includes(namespace));
}

/** Every network parameter of this host that may be read, but for the count of its connections. */
function parameters(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const file of readdirSync("/proc/sys/net", { recursive: true, encoding: "utf8" })) {
    if (file.endsWith("nf_conntrack_count")) continue;
    try {
      found[file] = readFileSync(join("/proc/sys/net", file), "utf8");
    } catch {
      // a directory, or one that is only written
    }
  }
  return found;
}

describe("nothing is left behind", () => {
  testNeeding(NAMESPACE, "no parameter of the host is changed by experiments that change theirs", () => {
    const before = parameters();
    expect(Object.keys(before).length).toBeGreaterThan(100);
    expect(lab("run", "tw-buckets-overflow", "tw-reuse", "time-wait-length").status).toBe(0);
    expect(parameters()).toEqual(before);
  });

  const residue = () => ({
    processes: [...processesWith(cli), ...processesWith(labProcess())],
    interfaces: Object.keys(networkInterfaces()).sort(),
    files: readdirSync(directory).sort(),
  });

  for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
    testNeeding(NAMESPACE, `when it is ended by ${signal} half-way, with children of its own`, async () => {
      const before = residue();
      const running = new Running([process.execPath, cli, "lab", "run", "inherited-listener", "--repeat", "1000"]);
      await until("a child of the lab", () => processesWith(labProcess()).length > 0);
      const [home] = namespacesOf([process.pid]);
      const made = namespacesOf([running.pid, ...processesWith(labProcess())]).filter((name) => name !== home);
      expect(made.length).toBeGreaterThan(0);
      await running.end(signal);
      await until("the end of the lab's processes", () => residue().processes.length === 0);
      expect(residue()).toEqual(before);
      expect(isInhabited(made)).toBe(false);
    });
  }

  testNeeding(
    [...NAMESPACE, "a second uid"],
    "when an ordinary user's is killed: it ran as root of a user namespace",
    async () => {
      const before = residue();
      const args = [process.execPath, cli, "lab", "run", "inherited-listener", "--repeat", "1000"];
      const running = new Running(args, { uid: 65534, gid: 65534 });
      await until("a child of the lab", () => processesWith(labProcess()).length > 0);
      expect(processesWith(cli).length).toBe(2); // the first run, and the second in its namespace
      await running.end("SIGKILL");
      await until("the end of both", () => residue().processes.length === 0);
      expect(residue()).toEqual(before);
    },
  );

  testNeeding(NAMESPACE, "when it is killed while somebody else's program runs, which has started others", async () => {
    const mark = join(directory, "a-mark-among-the-arguments");
    const forever = `'${process.execPath}' -e 'setInterval(() => {}, 1000)' '${mark}'`;
    const server = `(setsid ${forever} &) ; ${forever}`;
    const running = new Running([process.execPath, cli, "lab", "run", "restart", "--server", server]);
    await until("the program and its orphan", () => processesWith(mark).length === 2);
    const made = namespacesOf(processesWith(mark));
    await running.end("SIGKILL");
    await until("the end of both", () => processesWith(mark).length === 0);
    await until("the end of the guard", () => processesWith(labProcess()).length === 0);
    expect(isInhabited(made)).toBe(false);
  });

  testNeeding(NAMESPACE, "no namespace: a limit of 12 lasts for 20 runs that take 2 each", () => {
    const script = `echo 12 > /proc/sys/user/max_net_namespaces && exec "$@"`;
    const command = ["unshare", "--user", "--map-root-user", "sh", "-c", script, "sh", process.execPath, cli];
    const { stdout, stderr, status } = run([...command, "lab", "run", "last-ack-lost", "--repeat", "20"]);
    expect([stdout, stderr, status]).toEqual(["last-ack-lost: the expectations held 20 of 20 times\n", "", 0]);
  });
});

describe("view", () => {
  test("refuses what is no trace, and names the place", () => {
    const file = join(directory, "not-a-trace.json");
    writeFileSync(file, `{"schema": 1, "events": 7}`);
    const { stderr, status } = lastack(["view", file]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/not-a-trace\.json is not a trace: \w+/);
    expect(lastack(["view", join(directory, "nothing.json")])).toMatchObject({ status: 1, stdout: "" });
  });
});
