/** Overlapping addresses, options that do not match, and refusals without a socket: made for real, diagnosed, mended. */
import { spawnSync } from "node:child_process";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { readParameter, writeParameter } from "../../src/linux/parameter.ts";
import { listen, tryListen } from "../../src/sys/index.ts";
import { CLI, endAll, lastack, Running } from "../support/cli.ts";
import { compile, makeDirectory, removeDirectory } from "../cli/helpers.ts";
import { lacking, testNeeding } from "../support/needs.ts";
import { enterNamespace } from "../support/tcp.ts";
import { until } from "../support/until.ts";
import {
  apply,
  becomesFree,
  bindsNow,
  expectTruth,
  findingOf,
  flags,
  handOver,
  sockets,
  summary,
  why,
} from "./situation.ts";

const NAMESPACE = ["a network namespace"] as const;
const WITH_UID = ["a network namespace", "a second uid"] as const;
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

testNeeding(NAMESPACE, "bound and not listening: a holder that netstat does not show", async () => {
  const { pid } = handOver([sockets.bound("0.0.0.0", { port: 5000 })]);
  const told = why(5000);
  expect(summary(told)).toEqual(["bound-only", "EADDRINUSE", "EADDRINUSE"]);
  expect(told.headline).toBe(`Port 5000 is taken: cat (pid ${pid}, root) has bound 0.0.0.0:5000 and does not listen`);
  expectTruth(told, 5000);
  apply(findingOf(told, "bound-only"), /free 5000$/);
  await becomesFree(5000);
});

testNeeding(NAMESPACE, "two bound with SO_REUSEADDR: bind is granted, and the second listen is not", () => {
  const prepare = flags({ reuseAddress: true });
  const first = sockets.bound("0.0.0.0", { port: 5001, prepare });
  const told = why(5001, ["--reuse-address"]);
  expect(told.answer).toBe("free");
  expect(findingOf(told, "second-listen").blocks).toBe(false);
  const second = sockets.bound("0.0.0.0", { port: 5001, prepare });
  listen(first, 1);
  expect(tryListen(second, 1)).toBeLessThan(0);
  const later = findingOf(why(5001), "second-listen");
  expect(later.headline).toMatch(/its listen will be refused \(EADDRINUSE\): node .* listens$/);
});

testNeeding(NAMESPACE, "a dual-stack listener blocks IPv4; IPV6_V6ONLY keeps them apart", () => {
  handOver([sockets.listener("::", { port: 5002 })]);
  expectTruth(why(5002), 5002);
  const told = why("0.0.0.0:5002");
  expect(summary(told)).toEqual(["listener", "EADDRINUSE", "EADDRINUSE"]);
  const finding = findingOf(told, "dual-stack");
  expect(finding.headline).toContain("0.0.0.0 overlaps *:5002");
  expect(finding.remedies[0]!.what).toContain("IPV6_V6ONLY");
});

testNeeding(NAMESPACE, "an IPv4 listener blocks ::, and not :: with IPV6_V6ONLY", () => {
  handOver([sockets.listener("0.0.0.0", { port: 5003 })]);
  const told = why("[::]:5003");
  expect(summary(told)).toEqual(["listener", "EADDRINUSE", "EADDRINUSE"]);
  expect(findingOf(told, "dual-stack").headline).toContain(":: overlaps 0.0.0.0:5003");
  expect(why(5003, ["--ipv6-only"]).answer).toBe("free");
});

testNeeding(NAMESPACE, "an IPv6 listener with IPV6_V6ONLY, or at ::1, blocks Node's listen and no plain socket", () => {
  handOver([sockets.listener("::1", { port: 5004 })]);
  const told = why(5004);
  expect(summary(told)).toEqual(["listener", null, "EADDRINUSE"]);
  expectTruth(told, 5004);
});

testNeeding(NAMESPACE, "a v4-mapped listener is one at the IPv4 address", () => {
  handOver([sockets.listener("::ffff:127.0.0.1", { port: 5005 })]);
  const told = why("127.0.0.1:5005");
  expect(summary(told)).toEqual(["listener", "EADDRINUSE", "EADDRINUSE"]);
  expect(findingOf(told, "v4-mapped").headline).toBe(
    "[::ffff:127.0.0.1]:5005 and 127.0.0.1 are one address: ::ffff:a.b.c.d is a.b.c.d",
  );
  expect(why("127.0.0.2:5005").answer).toBe("free");
  expect(bindsNow("127.0.0.2", 5005)).toBe(true);
});

testNeeding(NAMESPACE, "a listener at one address blocks the wildcard, and not another address", () => {
  handOver([sockets.listener("127.0.0.1", { port: 5006 })]);
  const told = why(5006);
  const finding = findingOf(told, "wildcard");
  expect(finding.headline).toContain("0.0.0.0 overlaps 127.0.0.1:5006");
  expectTruth(told, 5006);
  expect(why("127.0.0.2:5006").answer).toBe("free");
  expect(bindsNow("127.0.0.2", 5006)).toBe(true);
});

testNeeding(NAMESPACE, "SO_REUSEPORT on one side only", async () => {
  handOver([sockets.listener("0.0.0.0", { port: 5007 })]);
  const told = why(5007, ["--reuse-port"]);
  expect(told.answer).toBe("blocked");
  const finding = findingOf(told, "reuse-port-mismatch");
  expect(finding.headline).toMatch(/cat .* has not set SO_REUSEPORT$/);
  expect(bindsNow("0.0.0.0", 5007, { reusePort: true })).toBe(false);
  apply(finding, /free 5007 --reuse-port$/);
  await becomesFree(5007, "0.0.0.0", { reusePort: true });
});

testNeeding(WITH_UID, "SO_REUSEPORT on both sides is shared by one user, and refused to another", () => {
  handOver([sockets.listener("0.0.0.0", { port: 5008, prepare: flags({ reusePort: true }) })]);
  expect(why(5008, ["--reuse-port"]).answer).toBe("free");
  expect(bindsNow("0.0.0.0", 5008, { reusePort: true })).toBe(true);
  const told = why(5008, ["--reuse-port", "--user", String(NOBODY)]);
  expect(told.answer).toBe("blocked");
  expect(findingOf(told, "reuse-port-mismatch").headline).toMatch(
    /made by user root, and this one would be by nobody$/,
  );
});

testNeeding(WITH_UID, "a privileged port: refused by EACCES before anybody asks who has it", () => {
  writeParameter("net.ipv4.ip_unprivileged_port_start", 1024);
  for (const told of [why(81, [], NOBODY), why(81, ["--user", String(NOBODY)])]) {
    expect(told.answer).toBe("blocked");
    expect(told.asks[0]).toMatchObject({ errno: "EACCES", provedBy: "facts" });
    expect(told.headline).toMatch(
      /^Port 81 cannot be bound: ports below 1024 take the capability CAP_NET_BIND_SERVICE/,
    );
  }
  apply(findingOf(why(81, [], NOBODY), "privileged-port"), /sysctl/);
  expect(readParameter("net.ipv4.ip_unprivileged_port_start")).toBe("81");
  expect(why(81, [], NOBODY).answer).toBe("free");
});

testNeeding(
  NAMESPACE,
  "root of a user namespace that the network is not of, as in a container on the host's network",
  () => {
    writeParameter("net.ipv4.ip_unprivileged_port_start", 1024);
    const inside = (...args: string[]) =>
      spawnSync("unshare", ["--user", "--map-root-user", process.execPath, CLI, ...args], { encoding: "utf8" });
    expect(inside("server", "82", "--replies", "0").stderr).toContain("bind 0.0.0.0:82 EACCES (13)");
    const told = (JSON.parse(inside("why", "82", "--json").stdout) as { ports: [ReturnType<typeof why>] }).ports[0];
    expect(told.asks[0]).toMatchObject({ errno: "EACCES", provedBy: "facts" });
    expect(told.headline).toContain("CAP_NET_BIND_SERVICE, which user root does not have here");
    expect(inside("wait", "82").status).toBe(3);
    // In a network of its own it may.
    const own = spawnSync("unshare", ["--user", "--map-root-user", "--net", process.execPath, CLI, "why", "82"]);
    expect(own.status).toBe(0);
  },
);

testNeeding(NAMESPACE, "an address that is none of this host's", () => {
  const told = why("192.0.2.1:5009");
  expect(summary(told)).toEqual(["address-unavailable", "EADDRNOTAVAIL", "EADDRNOTAVAIL"]);
  expect(told.headline).toMatch(/^192\.0\.2\.1:5009 cannot be bound: 192\.0\.2\.1 is not an address of this host/);
  expect(findingOf(why("[2001:db8::7]:5009"), "address-unavailable").headline).toContain("is not an address");
});

testNeeding(
  ["a network namespace", "ss"],
  "an IPv6 address that is still tentative, until it is not",
  async (context) => {
    const ip = (...words: string[]) => spawnSync("ip", words, { encoding: "utf8" });
    if (ip("link", "add", "veth-a", "type", "veth", "peer", "name", "veth-b").status !== 0) lacking(context, "veth");
    try {
      writeParameter("net.ipv6.conf.veth-a.dad_transmits", 2);
      ip("link", "set", "veth-a", "up");
      ip("link", "set", "veth-b", "up");
      ip("address", "add", "2001:db8::1/64", "dev", "veth-a");
      const told = why("[2001:db8::1]:5010");
      expect(summary(told)).toEqual(["address-unavailable", "EADDRNOTAVAIL", "EADDRNOTAVAIL"]);
      expect(told.headline).toContain("still tentative");
      apply(findingOf(told, "address-unavailable"), /wait \[2001:db8::1\]:5010$/);
      expect(bindsNow("2001:db8::1", 5010)).toBe(true);
    } finally {
      ip("link", "del", "veth-a");
    }
  },
);

testNeeding(["a network namespace", "ss"], "an IPv6 address that another host has as well", async (context) => {
  const other = new Running(["unshare", "--net", "sh", "-c", "echo there; exec sleep 600"]);
  await other.says(/there/);
  const ip = (...words: string[]) => spawnSync("ip", words).status;
  const there = (...words: string[]) => spawnSync("nsenter", ["-t", String(other.pid), "-n", "ip", ...words]).status;
  if (ip("link", "add", "veth-c", "type", "veth", "peer", "name", "veth-d") !== 0) lacking(context, "veth");
  try {
    ip("link", "set", "veth-d", "netns", String(other.pid));
    there("address", "add", "2001:db8::d/64", "dev", "veth-d", "nodad");
    there("link", "set", "veth-d", "up");
    ip("link", "set", "veth-c", "up");
    ip("address", "add", "2001:db8::d/64", "dev", "veth-c");
    await until("the other host to say so", () => why("[2001:db8::d]:5014").headline.includes("is of another host"));
    const told = why("[2001:db8::d]:5014");
    expect(summary(told)).toEqual(["address-unavailable", "EADDRNOTAVAIL", "EADDRNOTAVAIL"]);
    expect(told.headline).toContain("2001:db8::d is of another host too: duplicate address detection has failed");
    expect(findingOf(told, "address-unavailable").remedies[0]!.what).toBe("give this host another address");
    ip("address", "add", "2001:db8::c/64", "dev", "veth-c");
    await until("that one to be usable", () => why("[2001:db8::c]:5014").answer === "free");
    expect(bindsNow("2001:db8::c", 5014)).toBe(true);
  } finally {
    ip("link", "del", "veth-c");
  }
});

testNeeding(WITH_C, "a BPF program of the control group refuses bind, as systemd's SocketBindDeny= does", (context) => {
  const filter = compile("bind-filter", `${directory}/bind-filter`);
  const { stdout, status } = spawnSync(filter, [process.execPath, CLI, "why", "5015", "--json"], { encoding: "utf8" });
  if (status === 77) lacking(context, "BPF programs of control groups");
  const [told] = (JSON.parse(stdout) as { ports: [ReturnType<typeof why>] }).ports;
  expect(summary(told)).toEqual(["policy", "EPERM", "EPERM"]);
  expect(told.headline).toContain("the kernel answers EPERM: a policy refuses it");
  expect(findingOf(told, "policy").detail.join()).toContain("SocketBindDeny=");
  expect(status).toBe(1);
  // What the remedy says: outside of the group it is free.
  expect(why(5015).answer).toBe("free");
  expect(bindsNow("0.0.0.0", 5015)).toBe(true);
});

testNeeding(WITH_C, "a policy that no list shows: found by the trial", (context) => {
  const sandbox = compile("sandbox", `${directory}/sandbox`);
  const { stdout, status } = spawnSync(sandbox, [process.execPath, CLI, "why", "5011", "--json"], { encoding: "utf8" });
  if (status === 77) lacking(context, "Landlock with rules for the network (Linux 6.7)");
  const [told] = (JSON.parse(stdout) as { ports: [ReturnType<typeof why>] }).ports;
  expect(summary(told)).toEqual(["policy", "EACCES", "EACCES"]);
  expect(told.headline).toContain("a policy refuses it");
  expect(status).toBe(1);
  // What the remedy says: outside of the sandbox it is free.
  expect(why(5011).answer).toBe("free");
  expect(bindsNow("0.0.0.0", 5011)).toBe(true);
});

testNeeding(WITH_C, "a listener that only an io_uring ring has", async (context) => {
  const program = compile("ring-holder", `${directory}/ring-holder`);
  const holder = handOver([sockets.listener("0.0.0.0", { port: 5012 })], { command: [program] });
  await holder.says(/ready/).catch(() => lacking(context, "io_uring"));
  const told = why(5012);
  expect(summary(told)).toEqual(["io-uring", "EADDRINUSE", "EADDRINUSE"]);
  expect(told.headline).toContain(`ring-holder (pid ${holder.pid})`);
  expectTruth(told, 5012);
  apply(findingOf(told, "io-uring"), /^kill/);
  await becomesFree(5012);
});

testNeeding(
  NAMESPACE,
  "a port that SOCK_DESTROY took from the list and its program keeps: bound, and listed by nobody",
  () => {
    // The kernel ends a listener at the wish of SOCK_DESTROY, and leaves its port bound until its program closes it.
    const fd = sockets.listener("0.0.0.0", { port: 5013 });
    const { status } = spawnSync("ss", ["-tK", "state", "listening", "sport", "=", ":5013"]);
    expect(status).toBe(0);
    const told = why(5013);
    expectTruth(told, 5013);
    expect(told.answer).toBe("blocked");
    fd.close();
    expect(why(5013).answer).toBe("free");
  },
);

testNeeding(WITH_UID, "an address that no TCP socket can have: EINVAL is no policy's, and no time helps", () => {
  const cases = [
    ["[fe80::1]:5090", [], /^fe80::1 is link-local, .* without an interface bind answers EINVAL$/],
    ["[ff02::1]:5090", [], /^ff02::1 can't be bound on any host: bind answers EINVAL$/],
    ["[::ffff:127.0.0.1]:5090", ["--ipv6-only"], /^::ffff:127\.0\.0\.1 can't be bound with IPV6_V6ONLY/],
  ] as const;
  for (const [endpoint, options, headline] of cases) {
    for (const probe of [[], ["--no-probe"]]) {
      const told = why(endpoint, [...options, ...probe]);
      expect(findingOf(told, "address-unavailable").headline).toMatch(headline);
      expect(told.asks.map(({ outcome, errno }) => `${outcome} ${errno}`)).toContain("refused EINVAL");
    }
    const { stdout, status } = lastack(["wait", endpoint, ...options, "--timeout", "10s"], { uid: NOBODY });
    expect(stdout).toMatch(/\nWaiting does not help\n$/);
    expect(status).toBe(3);
  }
});
