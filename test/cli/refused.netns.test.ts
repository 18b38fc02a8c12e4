/** What the kernel refuses: errno by name and number, what to do about it, and status 1, or 3 where privileges lack. */
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { enterNewNetworkNamespace } from "../../src/linux/namespace.ts";
import { endAll, lastack, startProgram } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { boundSocket, copyCli, linesOf, makeDirectory, removeDirectory, run } from "./helpers.ts";

const NAMESPACE = ["a network namespace"] as const;

let directory = "";
let cli = "";
beforeAll(() => {
  directory = makeDirectory();
  cli = copyCli(directory);
});
afterAll(() => removeDirectory(directory));
beforeEach(() => void enterNewNetworkNamespace());
afterEach(endAll);

testNeeding(NAMESPACE, "server on an address of another host: EADDRNOTAVAIL, and the addresses of this one", () => {
  const { stdout, stderr, status } = lastack(["server", "192.0.2.1:8000"]);
  expect(linesOf(stderr)).toEqual([
    "bind 192.0.2.1:8000 EADDRNOTAVAIL (99): address not available",
    expect.stringMatching(
      /^This host's addresses are 127\.0\.0\.1, ::1; 0\.0\.0\.0 stands for all of IPv4, :: for all\.$/,
    ),
  ]);
  expect([stdout, status]).toEqual(["socket AF_INET SOCK_STREAM ok\n", 1]);
});

testNeeding(NAMESPACE, "of many sockets on the port the first are shown, and how many more there are", () => {
  for (const [count, last] of [
    [12, /^tcp4 .* 127\.0\.0\.\d+:3000 /],
    [20, /^and 8 more: lastack ls 3000$/],
  ] as const) {
    const fds = Array.from({ length: count }, (_, i) => boundSocket(`127.0.0.${i + 1}`, 3000));
    const lines = linesOf(lastack(["server", "3000"]).stderr);
    for (const fd of fds) fd.close();
    expect(lines[0]).toMatch(/EADDRINUSE/);
    expect(lines.filter((line) => line.startsWith("tcp4 "))).toHaveLength(12);
    expect(lines.at(-1)).toMatch(last);
  }
});

testNeeding(NAMESPACE, "client where nothing listens: ECONNREFUSED, and how to start a server", () => {
  const { stderr, status } = lastack(["client", "3000"]);
  expect(linesOf(stderr)).toEqual([
    "connect 127.0.0.1:3000 ECONNREFUSED (111): connection refused",
    "Nothing listens there. On this host: lastack server 3000",
  ]);
  expect(status).toBe(1);
});

testNeeding(NAMESPACE, "client where something listens, but on another address: it says so", async () => {
  await startProgram("server", "127.0.0.2:3000").says(/^listen .* ok$/m);
  const { stderr, status } = lastack(["client", "127.0.0.1:3000"]);
  expect(linesOf(stderr)).toEqual([
    "connect 127.0.0.1:3000 ECONNREFUSED (111): connection refused",
    "Something listens on port 3000 here, but not on that address: lastack ls 3000 --listen",
  ]);
  expect(status).toBe(1);
});

testNeeding(NAMESPACE, "client without a route: the errno by name", () => {
  const { stderr, status } = lastack(["client", "192.0.2.1:3000"]);
  expect(linesOf(stderr)[0]).toBe("connect 192.0.2.1:3000 ENETUNREACH (101): network is unreachable");
  expect(linesOf(stderr)[1]).toBe("No way leads there, as far as this host knows: ip route");
  expect(status).toBe(1);
});

testNeeding(NAMESPACE, "client --from a port, refused by the server's: it is that one that nobody listens on", () => {
  const { stderr, status } = lastack(["client", "127.0.0.1:3000", "--from", "127.0.0.1:4000"]);
  expect(linesOf(stderr)[1]).toBe("Nothing listens there. On this host: lastack server 3000");
  expect(status).toBe(1);
});

testNeeding(NAMESPACE, "client --from a port that is in use: EADDRINUSE, and who has it", async () => {
  const server = startProgram("server", "3000");
  await server.says(/^listen .* ok$/m);
  const { stderr, status } = lastack(["client", "4000", "--from", "127.0.0.1:3000"]);
  const [message, title, , row] = linesOf(stderr);
  expect(message).toBe("bind 127.0.0.1:3000 EADDRINUSE (98): address already in use");
  expect(title).toBe("The kernel holds on port 3000:");
  expect(row).toMatch(new RegExp(`^tcp4 .* 0\\.0\\.0\\.0:3000 .* LISTEN .* node\\(${server.pid},fd=\\d+\\)$`));
  expect(status).toBe(1);
});

testNeeding(
  [...NAMESPACE, "a second uid"],
  "a privileged port without privileges: EACCES, status 3, and a command that would do, by absolute paths",
  () => {
    const { stderr, status } = run([process.execPath, cli, "server", "80", "--message", "it's me"], { uid: 65534 });
    expect(linesOf(stderr)).toEqual([
      "bind 0.0.0.0:80 EACCES (13): permission denied",
      "Ports below net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE: take a higher port, or run as root:",
      `  sudo ${process.execPath} ${cli} server 80 --message 'it'\\''s me'`,
    ]);
    expect(status).toBe(3);
    // A command for the shell: it must mean the same there. What it means as root is told by the server.
    const words = run(["sh", "-c", `printf '%s\\n' ${linesOf(stderr)[2]!.trim()}`]).stdout;
    expect(linesOf(words)).toEqual(["sudo", process.execPath, cli, "server", "80", "--message", "it's me"]);
  },
);

testNeeding(NAMESPACE, "an address that no TCP socket has: EINVAL, and which addresses those are", () => {
  for (const args of [
    ["server", "[fe80::1]:3000"],
    ["server", "[ff02::1]:3000"],
    ["client", "[fe80::1]:3000"],
  ]) {
    const { stderr, status } = lastack(args);
    expect(linesOf(stderr)).toEqual([
      expect.stringMatching(/ EINVAL \(22\): invalid argument$/),
      expect.stringMatching(
        /^An address of a link .* only with its interface, like \[fe80::1%eth0\]:3000; there are .*lo.*\. No TCP socket has one of a group/,
      ),
    ]);
    expect(status).toBe(1);
  }
});
