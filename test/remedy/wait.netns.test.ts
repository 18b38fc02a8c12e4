/** `lastack wait`: it ends when the port is as wanted, and disturbs nobody meanwhile. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { writeParameter } from "../../src/linux/parameter.ts";
import { usualAsks } from "../../src/remedy/look.ts";
import { waitUntil } from "../../src/remedy/wait.ts";
import { BindWatch, OpenWatch } from "../../src/remedy/watch.ts";
import { accept, SOCK_NONBLOCK, type Fd } from "../../src/sys/index.ts";
import { compile, makeDirectory, removeDirectory, statesOf } from "../cli/helpers.ts";
import { bindsNow, flags, handOver, sockets, type Flags } from "../diagnose/situation.ts";
import { CLI, endAll, lastack, Running, start } from "../support/cli.ts";
import { lacking, testNeeding } from "../support/needs.ts";
import { enterNamespace } from "../support/tcp.ts";
import { until } from "../support/until.ts";

const NAMESPACE = ["a network namespace"] as const;
const WITH_C = ["a network namespace", "a C compiler"] as const;
const NOBODY = 65_534;

let directory = "";
beforeAll(() => (directory = makeDirectory()));
afterAll(() => removeDirectory(directory));
beforeEach(() => enterNamespace());
afterEach(async () => {
  sockets.close();
  await endAll();
});

const wait = (...args: string[]) => lastack(["wait", ...args]);
const reaches = (port: number, state: string) => until(`${state} on ${port}`, () => statesOf(port).includes(state));

/** Both ends of a connection to this port, with its listener. */
function connected(port: number, how: Flags = {}): { listener: Fd; client: Fd; server: Fd } {
  const listener = sockets.listener("0.0.0.0", { port, prepare: flags(how) });
  return { listener, ...sockets.pair(listener, "127.0.0.1") };
}

async function timeWait(port: number, how: Flags = {}): Promise<void> {
  const { listener, server, client } = connected(port, how);
  for (const fd of [listener, server, client]) fd.close();
  await reaches(port, "TIME-WAIT");
}

testNeeding(NAMESPACE, "a free port: at once", () => {
  const { stdout, stderr, status } = wait("6000", "127.0.0.1:6001");
  expect([stdout, stderr, status]).toEqual(["Port 6000 is free\nPort 6001 is free\n", "", 0]);
});

testNeeding(NAMESPACE, "it ends when the last of two ports comes free, having said who has them", async () => {
  const [one, two] = [6000, 6001].map((port) => handOver([sockets.listener("0.0.0.0", { port })]));
  const run = start(["wait", "6000", "6001"]);
  await run.says(new RegExp(`Port 6000 is taken: cat \\(pid ${one!.pid}, root\\) listens`));
  await run.says(new RegExp(`Port 6001 is taken: cat \\(pid ${two!.pid}, root\\) listens`));
  await one!.end();
  await run.says(/(Port 6001 is taken.*\n[^]*){2}/); // one cause less
  expect(run.child.exitCode).toBeNull();
  await two!.end();
  const { stdout, status } = await run.ended();
  expect(stdout).toMatch(/^Port 6000 is free\nPort 6001 is free, after \d+\.\d s\n$/);
  expect(status).toBe(0);
});

testNeeding(NAMESPACE, "FIN-WAIT-2 that nobody has: asleep until the moment that its timer predicts", async () => {
  writeParameter("net.ipv4.tcp_fin_timeout", 1);
  const { listener, server } = connected(6002);
  listener.close();
  server.close();
  await reaches(6002, "FIN-WAIT-2");
  const watch = new BindWatch(usualAsks({ port: 6002 }), { probe: false });
  const endsAtMs = watch.look().freeAtMs!;
  let looks = 0;
  const { outcome } = await waitUntil([watch], { onLook: () => looks++ });
  const lateMs = Date.now() - endsAtMs;
  expect(outcome).toBe("reached");
  expect(lateMs).toBeGreaterThan(-100);
  expect(lateMs).toBeLessThan(3000);
  expect(looks).toBeLessThan(10 + lateMs / 20); // at most each second before, each 20 ms once it is due
  expect(bindsNow("0.0.0.0", 6002)).toBe(true);
  writeParameter("net.ipv4.tcp_fin_timeout", 60);
});

testNeeding(NAMESPACE, "the time is over: status 1, and what is in the way", () => {
  handOver([sockets.listener("0.0.0.0", { port: 6003 })]);
  const { stdout, stderr, status } = wait("6003", "--timeout", "300ms");
  expect(stderr).toMatch(/^Port 6003 is taken: cat .*\n$/);
  expect(stdout).toMatch(/^The time is over, after 0\.[3-9] s\n$/);
  expect(status).toBe(1);
  const told = JSON.parse(wait("6003", "--timeout", "0", "--json").stdout) as { ports: object[] };
  expect(told).toMatchObject({
    status: 1,
    outcome: "timeout",
    ports: [{ port: 6003, answer: "waiting", freeAt: null }],
  });
});

testNeeding(NAMESPACE, "on a terminal it counts, and clears that line in the end", async () => {
  const holder = handOver([sockets.listener("0.0.0.0", { port: 6017 })]);
  const command = ["script", "-qec", `"${process.execPath}" "${CLI}" wait 6017`, "/dev/null"];
  const run = new Running(command, { stdio: ["pipe", "pipe", "pipe"] });
  await run.says(/waiting for 0 s/);
  await holder.end();
  const { stdout, status } = await run.ended();
  expect(stdout).toContain("\r\u001b[Kwaiting for 0 s\r\u001b[K");
  expect(stdout).toMatch(/Port 6017 is free, after \d\.\d s\r\n$/);
  expect(status).toBe(0);
});

testNeeding(NAMESPACE, "on a narrow terminal the count is cut: a line that is broken would stay", async () => {
  const holder = handOver([sockets.listener("0.0.0.0", { port: 6019 })]);
  const narrow = `stty cols 12; exec "${process.execPath}" "${CLI}" wait 6019`;
  const run = new Running(["script", "-qec", narrow, "/dev/null"], { stdio: ["pipe", "pipe", "pipe"] });
  await run.says(/waiting for/);
  await holder.end();
  expect((await run.ended()).stdout).toContain("\r\u001b[Kwaiting for\r\u001b[K");
});

testNeeding(NAMESPACE, "--open on an address of another host: why nobody is seen to listen there", () => {
  const { stderr, status } = wait("192.0.2.1:6020", "--open", "--timeout", "0");
  expect(stderr).toMatch(/^Nobody listens on 192\.0\.2\.1:6020: it is not an address of this host, /);
  expect(status).toBe(1);
});

testNeeding(NAMESPACE, "aborted: rejected with the reason; Ctrl-C: status 130", async () => {
  handOver([sockets.listener("0.0.0.0", { port: 6004 })]);
  const reason = new Error("enough");
  const abort = new AbortController();
  const watch = new BindWatch(usualAsks({ port: 6004 }), { probe: false });
  const waiting = waitUntil([watch], { signal: abort.signal, onLook: () => abort.abort(reason) });
  await expect(waiting).rejects.toBe(reason);
  const run = start(["wait", "6004", "--", "echo", "started"]);
  await run.says(/is taken/);
  const { stdout, status } = await run.end("SIGINT");
  expect([stdout, status]).toEqual(["", 130]);
});

testNeeding(
  ["a network namespace", "a C compiler"],
  "no bind is made, from the first look to the last",
  async (context) => {
    const noBind = [compile("without", `${directory}/without`), "bind", process.execPath, CLI];
    const killed = spawnSync(noBind[0]!, [...noBind.slice(1), "why", "6005"]); // its trial is one
    if (killed.status === 77) lacking(context, "seccomp");
    expect(killed.signal).toBe("SIGSYS");
    const { listener, server } = connected(6005);
    const holder = handOver([listener, server]);
    writeParameter("net.ipv4.tcp_fin_timeout", 1);
    const run = new Running([...noBind, "wait", "6005", "6006"]);
    await run.says(/cat .* listens/);
    await holder.end();
    expect(await run.ended()).toMatchObject({ status: 0, signal: null });
    await timeWait(6007, { reuseAddress: true });
    const more = ["wait", "6007", "--reuse-address", "--no-probe", "--timeout", "500ms"];
    expect(spawnSync(noBind[0]!, [...noBind.slice(1), ...more])).toMatchObject({ status: 1, signal: null });
  },
);

testNeeding(WITH_C, "where netlink is refused, /proc is looked at", async () => {
  const noNetlink = [compile("without", `${directory}/without`), "netlink", process.execPath, CLI];
  const holder = handOver([sockets.listener("0.0.0.0", { port: 6018 })]);
  const open = new Running([...noNetlink, "wait", "127.0.0.1:6018", "--open"]);
  expect(await open.ended()).toMatchObject({ stdout: "Somebody listens on 127.0.0.1:6018\n", status: 0 });
  const free = new Running([...noNetlink, "wait", "6018"]);
  await free.says(/cat .* listens on 0\.0\.0\.0:6018/);
  await holder.end();
  const { stdout, status } = await free.ended();
  expect(stdout).toMatch(/^Port 6018 is free, unless somebody has only bound it: netlink was refused, after/);
  expect(status).toBe(0);
  await timeWait(6019, { reuseAddress: true });
  expect((await new Running([...noNetlink, "wait", "6019", "--reuse-address"]).ended()).status).toBe(0);
  const more = ["wait", "6019", "--reuse-address", "--no-probe", "--timeout", "100ms"];
  expect((await new Running([...noNetlink, ...more]).ended()).status).toBe(1);
});

testNeeding(WITH_C, "of several ports too, one trial for a TIME-WAIT is all that is bound", async () => {
  const library = join(directory, "count-binds.so");
  const source = fileURLToPath(new URL("../fixtures/count-binds.c", import.meta.url));
  execFileSync("cc", ["-shared", "-fPIC", "-o", library, source]);
  await timeWait(6020, { reuseAddress: true });
  handOver([sockets.listener("0.0.0.0", { port: 6021 })]);
  const binds = (...args: string[]) => {
    const file = join(directory, args.join(""));
    lastack(args, { env: { ...process.env, LD_PRELOAD: library, BINDS: file } });
    return readFileSync(file, "utf8").length / "bind\n".length;
  };
  expect(binds("why", "6022")).toBe(2); // both that it asks about
  expect(binds("wait", "6020", "6021", "--reuse-address", "--timeout", "500ms")).toBe(1);
});

testNeeding(NAMESPACE, "servers that start meanwhile, without SO_REUSEADDR, are never refused", async () => {
  await timeWait(6008); // on 127.0.0.1
  const run = start(["wait", "6008"]);
  await run.says(/TIME-WAIT/);
  const untilMs = performance.now() + 1000;
  const answers: boolean[] = [];
  while (performance.now() < untilMs) answers.push(bindsNow("127.0.0.2", 6008));
  expect(answers.filter((granted) => !granted)).toEqual([]);
  expect(answers.length).toBeGreaterThan(1000);
});

testNeeding(
  NAMESPACE,
  "what a server had set is remembered when only its TIME-WAIT is left: no trial is needed",
  async () => {
    const { listener, server, client } = connected(6009, { reuseAddress: true });
    const holder = handOver([listener, server]);
    const run = start(["wait", "6009", "--reuse-address", "--no-probe"]);
    await run.says(/cat .* listens/);
    await holder.end();
    client.close();
    expect(await run.ended()).toMatchObject({ status: 0 });
    expect(statesOf(6009)).toEqual(["TIME-WAIT"]);
    expect(bindsNow("0.0.0.0", 6009, { reuseAddress: true })).toBe(true);
  },
);

testNeeding(
  NAMESPACE,
  "a TIME-WAIT whose options nobody knows: one trial tells, and --no-probe waits it out",
  async () => {
    await timeWait(6010, { reuseAddress: true });
    await timeWait(6011);
    expect(wait("6010", "--reuse-address").status).toBe(0);
    expect(wait("6010", "--reuse-address", "--no-probe", "--timeout", "100ms").status).toBe(1);
    expect(wait("6010", "--timeout", "100ms").status).toBe(1); // for everybody
    expect(wait("6011", "--reuse-address", "--timeout", "100ms").status).toBe(1);
  },
);

testNeeding(NAMESPACE, "--open: until somebody listens there, with room in its queue", async () => {
  const run = start(["wait", "127.0.0.1:6012", "--open"]);
  await run.says(/Nobody listens on 127\.0\.0\.1:6012/);
  sockets.listener("127.0.0.2", { port: 6012 });
  const listener = sockets.listener("127.0.0.1", { port: 6012, backlog: 0, flags: SOCK_NONBLOCK });
  const { stdout, status } = await run.ended();
  expect(stdout).toMatch(/^Somebody listens on 127\.0\.0\.1:6012, after 0\.\d s\n$/);
  expect(status).toBe(0);
  sockets.client(listener, "127.0.0.1");
  const watch = new OpenWatch({ port: 6012, address: Uint8Array.of(127, 0, 0, 1) });
  await until("a full queue", () => watch.look().answer === "waiting");
  expect(watch.look().headline).toBe(
    "Somebody listens on 127.0.0.1:6012, and accepts nothing: 1 connection in its queue, which is full",
  );
  sockets.keep(accept(listener).fd);
  expect(watch.look().answer).toBe("reached");
  expect(new OpenWatch({ port: 6012, address: Uint8Array.of(127, 0, 0, 3) }).look().answer).toBe("waiting");
  sockets.listener("::", { port: 6013 });
  expect(new OpenWatch({ port: 6013, address: Uint8Array.of(127, 0, 0, 3) }).look().answer).toBe("reached");
});

testNeeding(NAMESPACE, "the command: its output, its exit status, its signals", async () => {
  const { stdout, stderr, status } = wait("6014", "--", "sh", "-c", "echo of the command; exit 7", "--help");
  expect([stdout, stderr, status]).toEqual(["of the command\n", "Port 6014 is free\n", 7]);
  // Also where standard error takes nothing.
  const mute = spawnSync("sh", [
    "-c",
    `"$@" 2> /dev/full`,
    "sh",
    process.execPath,
    CLI,
    "wait",
    "6014",
    "--",
    "echo",
    "it",
  ]);
  expect([mute.stdout.toString(), mute.status]).toEqual(["it\n", 0]);
  for (const name of ["/", "", "/nonexistent", "no-such-program"]) {
    const { stderr: refused, status: bad } = wait("6014", "--", name);
    expect(refused).toContain(`there is no program '${name}'`);
    expect(bad).toBe(2);
  }
  const holder = handOver([sockets.listener("0.0.0.0", { port: 6014 })]);
  const script = "trap 'echo got TERM; exit 3' TERM; echo runs; while :; do read x || sleep 0.01; done";
  const run = start(["wait", "6014", "--", "bash", "-c", script]);
  await run.says(/is taken/);
  await holder.end();
  await run.says(/runs/);
  expect(await run.end("SIGTERM")).toMatchObject({ stdout: "runs\ngot TERM\n", status: 3 });
  // What Node ignores the command does not: yes(1) ends when nobody reads.
  const pipe = `"$0" "$1" wait 6014 -- yes 2>/dev/null | head -1; echo "\${PIPESTATUS[0]}"`;
  expect(spawnSync("bash", ["-c", pipe, process.execPath, CLI], { encoding: "utf8" }).stdout).toBe("y\n141\n");
});

testNeeding(
  ["a network namespace", "a second uid"],
  "another user's port: who it is stays hidden, its end does not",
  async () => {
    const holder = handOver([sockets.listener("0.0.0.0", { port: 6015 })]);
    const run = start(["wait", "6015"], { uid: NOBODY, gid: NOBODY });
    await run.says(/a process that may not be looked into listens on 0\.0\.0\.0:6015/);
    await holder.end();
    expect(await run.ended()).toMatchObject({ status: 0 });
  },
);

testNeeding(
  ["a network namespace", "a second uid"],
  "a port that takes a privilege: waiting does not help, status 3",
  () => {
    const { stdout, status } = lastack(["wait", "80", "--", "true"], { uid: NOBODY });
    expect(stdout).toBe("");
    expect(status).toBe(3);
    const { stderr } = lastack(["wait", "80", "--", "true"], { uid: NOBODY });
    expect(stderr).toMatch(
      /CAP_NET_BIND_SERVICE[^]*Waiting does not help\n {2}As root: sudo \/\S+ \/\S+ wait 80 -- true\n$/,
    );
  },
);

testNeeding(NAMESPACE, "what can't be meant is said before any waiting: status 2", () => {
  handOver([sockets.listener("0.0.0.0", { port: 6016 })]);
  const lines = [
    ["wait"],
    ["wait", "6016", "--"],
    ["wait", "6016", "--json", "--", "true"],
    ["wait", "6016", "--open", "--reuse-address"],
    ["wait", "6016", "--", "no-such-program"],
    ["wait", "6016", "--timeout", "soon"],
  ];
  for (const words of lines) expect([words, lastack(words).status]).toEqual([words, 2]);
});
