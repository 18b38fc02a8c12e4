/** `lastack why` without a port: trouble that is made for real, named, and mended. */
import { afterEach, beforeEach, expect } from "vitest";
import type { HostFinding } from "../../src/diagnose/host.ts";
import { writeParameter } from "../../src/linux/parameter.ts";
import { SyscallError } from "../../src/sys/index.ts";
import { statesOf } from "../cli/helpers.ts";
import { endAll, lastack, Running } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { enterNamespace } from "../support/tcp.ts";
import { until } from "../support/until.ts";
import { apply, handOver, sockets } from "./situation.ts";

const NAMESPACE = ["a network namespace"] as const;

beforeEach(() => enterNamespace());
afterEach(async () => {
  sockets.close();
  await endAll();
});

function whyHost(span = "10ms"): { status: number | null; findings: HostFinding[]; timeWait: number } {
  const { stdout, stderr, status } = lastack(["why", "--for", span, "--json"]);
  expect(stderr).toBe("");
  return { ...(JSON.parse(stdout) as { findings: HostFinding[]; timeWait: number }), status };
}

testNeeding(NAMESPACE, "nothing is wrong with a host without connections", () => {
  expect(whyHost()).toMatchObject({ findings: [], status: 0 });
  expect(lastack(["why", "--for", "10ms"]).stdout).toBe(
    "Nothing is wrong with this host's connections, as far as 0.01 s show\n",
  );
});

testNeeding(NAMESPACE, "CLOSE-WAIT that grows: whose it is, and by how many", async () => {
  const script = `
    const net = require("node:net");
    net.createServer({ allowHalfOpen: true }, (socket) => socket.resume()).listen(6000, "127.0.0.1", () => {
      console.log("listens");
      setInterval(() => { const client = net.connect(6000, "127.0.0.1", () => client.destroy()); }, 10);
    });`;
  const leak = new Running([process.execPath, "-e", script]);
  await leak.says(/listens/);
  const { findings, status } = whyHost("500ms");
  expect(status).toBe(1);
  expect(findings[0]).toMatchObject({ cause: "close-wait-growth", trouble: true });
  const [, pid, count, grown] = /node \(pid (\d+), root\) .*: (\d+) sockets in CLOSE-WAIT, (\d+) more/.exec(
    findings[0]!.headline,
  )!;
  expect(Number(pid)).toBe(leak.pid);
  expect(Number(grown)).toBeGreaterThan(5);
  expect(Number(count)).toBeGreaterThanOrEqual(Number(grown));
});

testNeeding(NAMESPACE, "CLOSE-WAIT that does not grow is a note, not a trouble", async () => {
  const listener = sockets.listener("127.0.0.1", { port: 6001 });
  const { client, server } = sockets.pair(listener, "127.0.0.1");
  const { pid } = handOver([server]);
  client.close();
  await until("CLOSE-WAIT", () => statesOf(6001).includes("CLOSE-WAIT"));
  const { findings, status } = whyHost();
  expect(status).toBe(0);
  expect(findings).toMatchObject([{ cause: "close-wait-standing", headline: expect.stringContaining(`pid ${pid}`) }]);
});

testNeeding(NAMESPACE, "the ports towards one destination are exhausted, until the range is wider", () => {
  writeParameter("net.ipv4.ip_local_port_range", "40000 40003");
  const listener = sockets.listener("127.0.0.1", { port: 6002 });
  const other = sockets.listener("127.0.0.1", { port: 6003 });
  const connect = () => sockets.client(listener, "127.0.0.1");
  for (let i = 0; i < 4; i++) connect();
  expect(connect).toThrow(SyscallError);
  const { findings, status } = whyHost();
  expect(status).toBe(1);
  expect(findings[0]!.cause).toBe("ports-exhausted");
  expect(findings[0]!.headline).toBe(
    "4 of 4 ports are in use from 127.0.0.1 to 127.0.0.1:6002: connect answers EADDRNOTAVAIL",
  );
  sockets.client(other, "127.0.0.1"); // another destination, as it says
  apply(findings[0]!, /ip_local_port_range/);
  connect();
  expect(whyHost().findings.map(({ cause }) => cause)).not.toContain("ports-exhausted");
});

testNeeding(NAMESPACE, "a listener that does not accept", () => {
  const listener = sockets.listener("127.0.0.1", { port: 6004, backlog: 0 });
  sockets.client(listener, "127.0.0.1");
  const { findings, status } = whyHost();
  expect(status).toBe(1);
  expect(findings[0]!.cause).toBe("accept-queue-full");
  expect(findings[0]!.headline).toMatch(
    /^127\.0\.0\.1:6004 does not accept: 1 connection wait.*limit is 0 \(node \(pid \d+, root\)\)$/,
  );
  sockets.accept(listener);
  expect(whyHost().findings).toEqual([]);
});

testNeeding(NAMESPACE, "TIME-WAIT near its limit", async () => {
  const listener = sockets.listener("127.0.0.1", { port: 6005 });
  const limit = whyHost().timeWait + 4; // other tests have left some
  writeParameter("net.ipv4.tcp_max_tw_buckets", limit);
  for (let i = 0; i < 4; i++) {
    const { client, server } = sockets.pair(listener, "127.0.0.1");
    client.close();
    server.close();
  }
  await until("four in TIME-WAIT", () => whyHost().timeWait === limit);
  const finding = whyHost().findings.find(({ cause }) => cause === "time-wait-limit");
  expect(finding).toMatchObject({ trouble: false, headline: `${limit} of at most ${limit} sockets in TIME-WAIT` });
  apply(finding!, /tcp_max_tw_buckets=/);
  expect(whyHost().findings).toEqual([]);
});
