/** `lastack reuse`: what a server leaves when it ends is no obstacle to a successor that sets SO_REUSEADDR too. */
import { existsSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, expect } from "vitest";
import { prepareReuse } from "../../src/remedy/reuse.ts";
import type { Fd } from "../../src/sys/index.ts";
import { statesOf } from "../cli/helpers.ts";
import { bindsNow, flags, handOver, sockets } from "../diagnose/situation.ts";
import { endAll, lastack, Running, startProgram } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { enterNamespace } from "../support/tcp.ts";
import { until } from "../support/until.ts";

const NAMESPACE = ["a network namespace"] as const;
const WITH_UID = ["a network namespace", "a second uid"] as const;
const NOBODY = 65_534;

beforeEach(() => enterNamespace());
afterEach(async () => {
  sockets.close();
  await endAll();
});

const reuse = (...args: string[]) => lastack(["reuse", ...args]);
const reaches = (port: number, state: string) => until(`${state} on ${port}`, () => statesOf(port).includes(state));

/** A server of its own process without SO_REUSEADDR, and both ends of a connection to it. */
function server(port: number, { uid = 0 } = {}): { holder: Running; client: Fd } {
  const listener = sockets.listener("0.0.0.0", { port });
  const { client, server: accepted } = sockets.pair(listener, "127.0.0.1");
  return { holder: handOver([listener, accepted], { uid }), client };
}

testNeeding(NAMESPACE, "both newcomers: without the option refused as before, with it granted", async () => {
  for (const [port, prepared] of [
    [6100, false],
    [6101, true],
  ] as const) {
    const { holder, client } = server(port);
    if (prepared) expect(reuse(String(port)).status).toBe(0);
    expect(bindsNow("0.0.0.0", port, { reuseAddress: true })).toBe(false); // it listens
    await holder.end();
    await reaches(port, "FIN-WAIT-2");
    expect(bindsNow("0.0.0.0", port)).toBe(false);
    expect(bindsNow("0.0.0.0", port, { reuseAddress: true })).toBe(prepared);
    client.close();
    await reaches(port, "TIME-WAIT");
    expect(bindsNow("0.0.0.0", port)).toBe(false);
    expect(bindsNow("0.0.0.0", port, { reuseAddress: true })).toBe(prepared);
  }
});

testNeeding(NAMESPACE, "real programs: the tutorial's server, then itself, which is refused, then Node's", async () => {
  const first = startProgram("server", "6102");
  await first.says(/listen .* ok/);
  const client = startProgram("client", "6102");
  await client.says(/server said/);
  const told = reuse("6102");
  expect(told.stderr).toBe("");
  expect(told.stdout).toMatch(/^This helps a server that sets SO_REUSEADDR itself/);
  expect(told.stdout).toMatch(
    new RegExp(
      `Port 6102: 2 of 2 sockets have SO_REUSEADDR\\n  LISTEN 0\\.0\\.0\\.0:6102, node \\(pid ${first.pid}, root\\): is set now\\n  ESTABLISHED 127`,
    ),
  );
  expect(reuse("6102").stdout).toMatch(/(is set already\n[^]*){2}/);
  await first.end("SIGINT");
  await client.ended();
  await reaches(6102, "TIME-WAIT");
  const refused = await startProgram("server", "6102").ended();
  expect(refused.stdout + refused.stderr).toContain("EADDRINUSE");
  const node = new Running([
    process.execPath,
    "-e",
    "require('net').createServer().listen(6102, () => console.log('listens'))",
  ]);
  await node.says(/listens/);
  expect(statesOf(6102)).toContain("TIME-WAIT");
});

testNeeding(NAMESPACE, "--dry-run sets nothing, and says what is", () => {
  server(6103);
  const { stdout, status } = reuse("6103", "--dry-run");
  expect(stdout).toMatch(/Port 6103: 0 of 2 sockets have SO_REUSEADDR\n(.*: would be set\n){2}$/);
  expect(status).toBe(0);
  expect(prepareReuse(6103, { dryRun: true }).live.map(({ before }) => before)).toEqual([false, false]);
});

testNeeding(
  NAMESPACE,
  "what can't be set is named: connections that nobody accepted, and what the kernel keeps",
  async () => {
    const listener = sockets.listener("0.0.0.0", { port: 6104 });
    const { server: closed } = sockets.pair(listener, "127.0.0.1");
    closed.close();
    await reaches(6104, "FIN-WAIT-2");
    sockets.client(listener, "127.0.0.1");
    handOver([listener]);
    const { stdout, status } = reuse("6104");
    expect(stdout).toContain("Port 6104: 1 of 1 socket has SO_REUSEADDR\n");
    expect(stdout).toContain("  1 connection more: not set, nobody has accepted them yet");
    expect(stdout).toContain("  1 socket in FIN-WAIT-2: not set, the kernel alone has them; lastack free 6104 removes");
    expect(status).toBe(1);
    const nobody = reuse("6105");
    expect(nobody.stdout).toContain("Port 6105: no process has a socket there\n");
    expect(nobody.status).toBe(1);
  },
);

testNeeding(NAMESPACE, "300 connections: all are set, and a few shown", () => {
  const listener = sockets.listener("0.0.0.0", { port: 6106, backlog: 1024 });
  const held = Array.from({ length: 300 }, () => sockets.pair(listener, "127.0.0.1").server);
  handOver([listener, ...held]);
  const { stdout, status } = reuse("6106");
  expect(stdout).toMatch(/Port 6106: 301 of 301 sockets have[^]*\n  and 289 sockets more\n$/);
  expect(status).toBe(0);
  expect(prepareReuse(6106, { dryRun: true }).live.every(({ before }) => before)).toBe(true);
});

testNeeding(NAMESPACE, "as JSON", () => {
  const { holder } = server(6107);
  const told = JSON.parse(reuse("6107", "--json").stdout) as object;
  expect(told).toMatchObject({
    status: 0,
    dryRun: false,
    ports: [
      {
        port: 6107,
        live: [
          { state: "LISTEN", process: { pid: holder.pid, program: "cat" }, before: false, after: true, refused: null },
          { state: "ESTABLISHED", before: false, after: true, refused: null },
        ],
        waiting: [],
        leftovers: [],
      },
    ],
  });
});

testNeeding(WITH_UID, "another user's server: not permitted, status 3, and the line for root", () => {
  server(6108);
  const { stdout, status } = lastack(["reuse", "6108"], { uid: NOBODY });
  expect(stdout).toMatch(/LISTEN 0\.0\.0\.0:6108, a process that is not seen: not set: not permitted \(EPERM\)\n/);
  expect(stdout).toMatch(/\n {2}As root: sudo \/\S+ \/\S+lastack\.cjs reuse 6108\n$/);
  expect(status).toBe(3);
  expect(prepareReuse(6108, { dryRun: true }).live.map(({ before }) => before)).toEqual([false, false]);
});

testNeeding(WITH_UID, "an ordinary user's own server: where the system lets users trace their programs", () => {
  server(6110, { uid: NOBODY });
  const scope = "/proc/sys/kernel/yama/ptrace_scope";
  const mayTrace = !existsSync(scope) || readFileSync(scope, "latin1").trim() === "0";
  expect(lastack(["reuse", "6110"], { uid: NOBODY }).status).toBe(mayTrace ? 0 : 3);
  expect(prepareReuse(6110, { dryRun: true }).live.map(({ before }) => before)).toEqual([mayTrace, mayTrace]);
});

testNeeding(NAMESPACE, "sockets that several processes share, and those of SO_REUSEPORT", async () => {
  const fd = sockets.listener("0.0.0.0", { port: 6109, prepare: flags({ reusePort: true }) });
  const shell = handOver([fd], { command: ["bash", "-c", "sleep 600 >/dev/null 2>&1 & echo child $!; read go"] });
  const [, child] = await shell.says(/child (\d+)/);
  handOver([sockets.listener("0.0.0.0", { port: 6109, prepare: flags({ reusePort: true }) })]);
  const { stdout } = reuse("6109");
  process.kill(Number(child), "SIGKILL");
  expect(stdout).toContain("Port 6109: 2 of 2 sockets have SO_REUSEADDR\n");
});
