/** Remedies that the tests of the causes have not run: as `why` prints them, with what they are said to do. */
import { spawnSync } from "node:child_process";
import { afterEach, beforeEach, expect } from "vitest";
import { writeParameter } from "../../src/linux/parameter.ts";
import { listen, SHUT_WR, shutdown, type Fd } from "../../src/sys/index.ts";
import { statesOf } from "../cli/helpers.ts";
import { CLI, endAll } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { enterNamespace } from "../support/tcp.ts";
import { until } from "../support/until.ts";
import { apply, becomesFree, bindsNow, findingOf, flags, handOver, sockets, summary, why } from "./situation.ts";

const NAMESPACE = ["a network namespace"] as const;
const WITH_UID = ["a network namespace", "a second uid"] as const;
const NOBODY = 65_534;

beforeEach(() => enterNamespace());
afterEach(async () => {
  sockets.close();
  await endAll();
});

const reaches = (port: number, state: string) => until(`${state} on ${port}`, () => statesOf(port).includes(state));

/** Both ends of a connection to this port, whose listener has gone. */
function connection(port: number): { client: Fd; server: Fd } {
  const listener = sockets.listener("0.0.0.0", { port });
  const ends = sockets.pair(listener, "127.0.0.1");
  listener.close();
  return ends;
}

testNeeding(NAMESPACE, "a client that had chosen the port: first its connection, then the client", async () => {
  writeParameter("net.ipv4.ip_local_port_range", "4100 4100");
  const listener = sockets.listener("127.0.0.1", { port: 443 });
  const { client, server } = sockets.pair(listener, "127.0.0.1", { port: 4100 });
  const holder = handOver([client]);
  const finding = findingOf(why(4100), "outgoing-connection");
  apply(finding, /free 4100 --connections$/, 1);
  expect(holder.child.exitCode).toBeNull();
  expect(summary(why(4100))[0]).toBe("bound-only");
  spawnSync("sh", ["-c", finding.remedies.at(-1)!.command!.join(" ")]);
  await becomesFree(4100);
  server.close();
  writeParameter("net.ipv4.ip_local_port_range", "32768 60999");
});

testNeeding(["a network namespace", "ss"], "LAST-ACK: wait ends when the kernel gives the peer up", async () => {
  writeParameter("net.ipv4.tcp_orphan_retries", 1);
  const { client, server } = connection(4101);
  shutdown(client, SHUT_WR);
  await reaches(4101, "CLOSE-WAIT");
  spawnSync("ip", ["link", "set", "lo", "down"]);
  try {
    server.close();
    await reaches(4101, "LAST-ACK");
    const finding = findingOf(why(4101), "unanswered-close");
    expect(finding.remedies[0]!.what).toMatch(/^wait up to \d s/);
    apply(finding, /wait 4101$/);
    await becomesFree(4101);
  } finally {
    spawnSync("ip", ["link", "set", "lo", "up"]);
    writeParameter("net.ipv4.tcp_orphan_retries", 0);
  }
});

testNeeding(NAMESPACE, "CLOSE-WAIT and FIN-WAIT-2 of a running program: reuse lets a server in beside it", async () => {
  const held: [port: number, cause: "close-wait" | "half-closed"][] = [
    [4102, "close-wait"],
    [4103, "half-closed"],
  ];
  for (const [port, cause] of held) {
    const { client, server } = connection(port);
    if (cause === "close-wait") client.close();
    else shutdown(server, SHUT_WR);
    const holder = handOver([server]);
    await reaches(port, cause === "close-wait" ? "CLOSE-WAIT" : "FIN-WAIT-2");
    const told = why(port);
    expect(summary(told)).toEqual([cause, "EADDRINUSE", "EADDRINUSE"]);
    apply(findingOf(told, cause), new RegExp(`reuse ${port}$`));
    expect(summary(why(port))).toEqual([cause, "EADDRINUSE", null]);
    await becomesFree(port, "0.0.0.0", { reuseAddress: true });
    expect(holder.child.exitCode).toBeNull();
  }
});

testNeeding(
  NAMESPACE,
  "a listener with open connections: reuse before a restart, and the successor is let in",
  async () => {
    const listener = sockets.listener("0.0.0.0", { port: 4104 });
    const { server } = sockets.pair(listener, "127.0.0.1");
    const holder = handOver([listener, server]);
    const finding = findingOf(why(4104), "listener");
    expect(finding.remedies.at(-1)!.what).toMatch(/^before a restart: its connections then do not keep the port/);
    apply(finding, /reuse 4104$/);
    await holder.end();
    await reaches(4104, "FIN-WAIT-2");
    expect(bindsNow("0.0.0.0", 4104)).toBe(false);
    expect(bindsNow("0.0.0.0", 4104, { reuseAddress: true })).toBe(true);
  },
);

testNeeding(
  NAMESPACE,
  "two bound with SO_REUSEADDR: the one that does not listen is ended, the other goes on",
  async () => {
    const prepare = flags({ reuseAddress: true });
    const [first, second] = [0, 1].map(() => sockets.bound("0.0.0.0", { port: 4105, prepare })) as [Fd, Fd];
    listen(first, 1);
    const server = handOver([first]);
    const other = handOver([second]);
    const finding = findingOf(why(4105), "second-listen");
    expect(finding.blocks).toBe(false);
    expect(finding.remedies[1]!.command).toEqual(["kill", String(other.pid)]);
    spawnSync("kill", [String(other.pid)]);
    expect((await other.ended()).signal).toBe("SIGTERM");
    expect(why(4105).findings.map(({ cause }) => cause)).not.toContain("second-listen");
    expect(server.child.exitCode).toBeNull();
  },
);

testNeeding(NAMESPACE, "a program that holds the port it asks about: free would not end it, kill does", async () => {
  const fd = sockets.listener("0.0.0.0", { port: 4106 });
  const script = '"$0" "$1" 4106 3<&-; echo told; read go';
  const shell = handOver([fd], { command: ["bash", "-c", script, process.execPath, CLI] });
  await shell.says(/^told$/m);
  expect(shell.stdout).toContain(`\n  kill ${shell.pid}\n      end bash (pid ${shell.pid}, root)`);
  expect(shell.stdout).not.toContain("free 4106");
  spawnSync("sh", ["-c", `kill ${shell.pid}`]);
  await becomesFree(4106);
});

testNeeding(WITH_UID, "an ordinary user's TIME-WAIT: the line for root is whole", async () => {
  const { client, server } = connection(4107);
  server.close();
  client.close();
  await reaches(4107, "TIME-WAIT");
  apply(findingOf(why(4107, [], NOBODY), "time-wait"), /^sudo \/\S+ \/\S+ free 4107$/);
  await becomesFree(4107);
});

testNeeding(NAMESPACE, "a bind that was described: the remedy is for that bind, and leaves others alone", async () => {
  const four = handOver([sockets.listener("127.0.0.1", { port: 4108 })]);
  const six = handOver([sockets.listener("::1", { port: 4108 })]);
  apply(findingOf(why(4108, ["--ipv6-only"]), "listener"), /free 4108 --ipv6-only$/);
  expect((await six.ended()).signal).toBe("SIGTERM");
  expect(four.child.exitCode).toBeNull();
  apply(findingOf(why("127.0.0.1:4108", ["--reuse-address"]), "listener"), /free 127\.0\.0\.1:4108 --reuse-address$/);
  expect((await four.ended()).signal).toBe("SIGTERM");
});
