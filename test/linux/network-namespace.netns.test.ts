import { spawn } from "node:child_process";
import { once } from "node:events";
import { readlinkSync } from "node:fs";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { readCounter } from "../../src/linux/counters.ts";
import { enterNewNetworkNamespace } from "../../src/linux/namespace.ts";
import { NetworkNamespace } from "../../src/linux/network-namespace.ts";
import { readParameter, writeParameter } from "../../src/linux/parameter.ts";
import { endAllIn, processesIn } from "../../src/linux/residents.ts";
import { AF_INET, SOCK_STREAM, socket } from "../../src/sys/index.ts";
import { encodeSockaddr } from "../../src/codec/sockaddr.ts";
import { tryBind, tryConnect } from "../../src/sys/index.ts";
import { Running, endAll } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { until } from "../support/until.ts";

const here = () => readlinkSync("/proc/thread-self/ns/net");
const NEEDS = ["a network namespace"] as const;

// Out of the namespace that the test was started in: there is no coming back to it from a user namespace.
beforeAll(() => void enterNewNetworkNamespace());
afterEach(endAll);

describe("a namespace that is held", () => {
  testNeeding(NEEDS, "is entered for the time of a call, also one that throws", () => {
    const home = here();
    const namespace = NetworkNamespace.create();
    expect(here()).toBe(home);
    expect(namespace.run(here)).toBe(`net:[${namespace.inode}]`);
    expect(() =>
      namespace.run(() => {
        throw new Error("within");
      }),
    ).toThrow("within");
    expect(here()).toBe(home);
    namespace.close();
  });

  testNeeding(NEEDS, "has loopback up, and parameters and counters of its own", () => {
    const namespace = NetworkNamespace.create();
    const before = readParameter("net.ipv4.tcp_fin_timeout");
    namespace.run(() => {
      writeParameter("net.ipv4.tcp_fin_timeout", 7);
      using fd = socket(AF_INET, SOCK_STREAM, 0);
      // Refused, not unreachable: loopback answers.
      expect(tryConnect(fd, encodeSockaddr({ address: Uint8Array.of(127, 0, 0, 1), port: 9 }))).toBe(-111);
      expect(tryBind(fd, encodeSockaddr({ address: Uint8Array.of(127, 0, 0, 1), port: 9 }))).toBe(0);
      expect(readCounter("OutRsts")).toBe(1);
      expect(readCounter("TCPTimeWaitOverflow")).toBe(0);
      expect(readCounter("NoSuchCounter")).toBeUndefined();
    });
    expect(namespace.run(() => readParameter("net.ipv4.tcp_fin_timeout"))).toBe("7");
    expect(readParameter("net.ipv4.tcp_fin_timeout")).toBe(before);
    expect(() => writeParameter("net.ipv4.no_such_parameter", 1)).toThrow(/ENOENT/);
    namespace.close();
  });
});

describe("who lives in a namespace", () => {
  testNeeding(NEEDS, "is found and ended, with what it starts meanwhile; nobody else is", async () => {
    const namespace = NetworkNamespace.create();
    const outside = new Running(["sleep", "60"]);
    // It starts another every few milliseconds, out of its own group.
    const breeder = namespace.run(() =>
      spawn("sh", ["-c", "while :; do setsid sleep 60 & sleep 0.01; done"], { stdio: "ignore" }),
    );
    const ended = once(breeder, "exit");
    await until("offspring", () => processesIn(namespace.inode).length > 4);
    expect(processesIn(namespace.inode)).toContain(breeder.pid);
    endAllIn([namespace.inode]);
    expect(processesIn(namespace.inode)).toEqual([]);
    expect(await ended).toEqual([null, "SIGKILL"]);
    expect(outside.child.exitCode).toBeNull();
    namespace.close();
  });
});

test("a namespace that nobody lives in has nobody to end", () => endAllIn([1]));
