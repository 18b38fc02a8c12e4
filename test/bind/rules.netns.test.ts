/** Every rule by the shortest story that it decides; where there is a namespace, told to the running kernel as well. */
import { afterAll, describe, expect, test } from "vitest";
import { RULES, type RuleName } from "../../src/bind/rules.ts";
import { emptyState, PLAIN_HOST, type Host } from "../../src/bind/state.ts";
import { plainHost } from "../../src/bind/systems.ts";
import { BindHost, runBeside } from "../../src/world/kernel/bind-host.ts";
import { storyRequests, tell } from "../support/bind-story.ts";
import { testNeeding } from "../support/needs.ts";

interface Example {
  story: string;
  /** The errno's name; `granted` or `waits`. */
  is: string;
  host?: Partial<Host>;
  /** Why the kernel is not asked. */
  notRun?: string;
}

const LISTENER = "a IPv4; a bind 127.0.0.1 8000; a listen";
const CONNECTION = `${LISTENER}; b IPv4; b connect 127.0.0.1 8000`;
const TWO_DEVICES = { addresses: [...PLAIN_HOST.addresses, { address: "10.9.0.1", onLink: 24, device: "wire0" }] };
const ONE_PORT = { portRange: [8500, 8500] as const };

const EXAMPLES: Record<RuleName, Example> = {
  done: { story: "a IPv4", is: "granted" },
  "port free": { story: "a IPv4; a bind 127.0.0.1 8000", is: "granted" },
  "both reuse": {
    story: "a IPv4 SO_REUSEADDR; a bind 127.0.0.1 8000; b IPv4 SO_REUSEADDR; b bind 127.0.0.1 8000",
    is: "granted",
  },
  "remembered port sharing": {
    story:
      "a IPv4 SO_REUSEPORT; a bind 127.0.0.1 8000; a set SO_REUSEPORT=0; b IPv4 SO_REUSEPORT; b bind 127.0.0.1 8000",
    is: "granted",
  },
  "port chosen": { story: "a IPv4; a bind 127.0.0.1 0", is: "granted" },
  "address only": { story: "a IPv4 IP_BIND_ADDRESS_NO_PORT; a bind 127.0.0.1 0", is: "granted" },
  "listens already": { story: `${LISTENER}; a listen 5`, is: "granted" },
  "in use": { story: `${LISTENER}; b IPv4; b bind 0.0.0.0 8000`, is: "EADDRINUSE" },
  "no port left to bind": {
    story: "a IPv4 SO_REUSEADDR; a bind 127.0.0.1 0; b IPv4 SO_REUSEADDR; b bind 127.0.0.1 0",
    is: "EADDRINUSE",
    host: ONE_PORT,
  },
  "not local": { story: "a IPv4; a bind 192.0.2.1 8000", is: "EADDRNOTAVAIL" },
  "not local (IPv6)": { story: "a IPv6; a bind 2001:db8::1 8000", is: "EADDRNOTAVAIL" },
  privileged: {
    story: "a IPv4; a bind 127.0.0.1 80",
    is: "EACCES",
    host: { mayBindPrivileged: false },
    notRun: "the test has the capability",
  },
  "bound already": { story: "a IPv4; a bind 127.0.0.1 8000; a bind 127.0.0.1 8001", is: "EINVAL" },
  "multicast stream": { story: "a IPv6; a bind ff02::1 8000", is: "EINVAL" },
  "mapped but v6 only": { story: "a IPv6 IPV6_V6ONLY; a bind ::ffff:127.0.0.1 8000", is: "EINVAL" },
  "IPv6 address for IPv4": { story: "a IPv4; a bind ::1 8000", is: "EAFNOSUPPORT" },
  "IPv4 address for IPv6": { story: "a IPv6; a bind 127.0.0.1 8000", is: "EINVAL" },
  "cannot listen": { story: `${CONNECTION}; b listen`, is: "EINVAL" },
  "in use (BSD)": {
    story: `${LISTENER}; b IPv4 SO_REUSEADDR; b bind 127.0.0.1 8000`,
    is: "EADDRINUSE",
    host: plainHost("freebsd"),
    notRun: "another system",
  },
  "in use (Windows)": {
    story: `${LISTENER}; b IPv4; b bind 127.0.0.1 8000`,
    is: "EADDRINUSE",
    host: plainHost("windows"),
    notRun: "another system",
  },
  "not shared (Windows)": {
    story: `${LISTENER}; b IPv4 SO_REUSEADDR; b bind 127.0.0.1 8000`,
    is: "EACCES",
    host: plainHost("windows"),
    notRun: "another system",
  },
  "excluded (Windows)": {
    story: "a IPv4; a bind 127.0.0.1 50010",
    is: "EACCES",
    host: { ...plainHost("windows"), reservedPorts: [[50_000, 50_059]] },
    notRun: "another system",
  },
  "another user's (Windows)": {
    story: "a IPv4; a bind 0.0.0.0 8000; b IPv4 uid=1000; b bind 127.0.0.1 8000",
    is: "EACCES",
    host: plainHost("windows"),
    notRun: "another system",
  },
  "connect binds": { story: CONNECTION, is: "granted" },
  "tuple free": { story: `${LISTENER}; b IPv4; b bind 127.0.0.1 8001; b connect 127.0.0.1 8000`, is: "granted" },
  "tuple of TIME-WAIT": {
    story: `a IPv4; a bind 127.0.0.1 8000; a listen;
      b IPv4 SO_REUSEADDR; b bind 127.0.0.1 8001; b connect 127.0.0.1 8000; a accept c; b close; c close;
      d IPv4 SO_REUSEADDR; d bind 127.0.0.1 8001; d connect 127.0.0.1 8000`,
    is: "granted",
  },
  "tuple in use": {
    story: `${LISTENER}; b IPv4 SO_REUSEADDR; b bind 127.0.0.1 8001; b connect 127.0.0.1 8000;
      d IPv4 SO_REUSEADDR; d bind 127.0.0.1 8001; d connect 127.0.0.1 8000`,
    is: "EADDRNOTAVAIL",
  },
  "no port left to connect": {
    story: `${CONNECTION}; d IPv4; d connect 127.0.0.1 8000`,
    is: "EADDRNOTAVAIL",
    host: ONE_PORT,
  },
  "no listener": { story: "a IPv4; a connect 127.0.0.1 8000", is: "ECONNREFUSED" },
  "is connected": { story: `${CONNECTION}; b connect 127.0.0.1 8000`, is: "EISCONN" },
  "no route": { story: "a IPv4; a connect 192.0.2.1 8000", is: "ENETUNREACH" },
  "v6 only to IPv4": { story: "a IPv6 IPV6_V6ONLY; a connect ::ffff:127.0.0.1 8000", is: "ENETUNREACH" },
  "mapped to IPv6": { story: "a IPv6; a bind ::ffff:127.0.0.1 8000; a connect ::1 8001", is: "EAFNOSUPPORT" },
  "loopback leaves": {
    story: "a IPv4; a bind 127.0.0.1 8000; a connect 10.9.0.2 8001",
    is: "EINVAL",
    host: TWO_DEVICES,
  },
  "peer decides": {
    story: "a IPv4; a connect 10.9.0.2 8001",
    is: "waits",
    host: TWO_DEVICES,
  },
  "other end in use": {
    story: `${LISTENER}; b IPv4 SO_REUSEADDR; b bind 127.0.0.1 8001; b connect 127.0.0.1 8000; a accept c; b close;
      d IPv4 SO_REUSEADDR; d bind 127.0.0.1 8001; d connect 127.0.0.1 8000`,
    is: "waits",
  },
  "speaks IPv4": { story: "a IPv6; !a connect ::ffff:127.0.0.1 8000; a connect ::1 8000", is: "waits" },
  "shut down before": {
    story: "a IPv4; !a shutdown both; a bind 127.0.0.1 8000; a connect 127.0.0.1 8000",
    is: "ECONNABORTED",
  },
  "queue full": {
    story: `a IPv4; a bind 127.0.0.1 8000; a listen 0; b IPv4; b connect 127.0.0.1 8000; d IPv4; d connect 127.0.0.1 8000`,
    is: "waits",
  },
  "not listening": { story: "a IPv4; a accept b", is: "EINVAL" },
  "nothing to accept": { story: `${LISTENER}; a accept b`, is: "waits" },
  "not connected": { story: "a IPv4; a shutdown both", is: "ENOTCONN" },
  "bound before IPV6_V6ONLY": { story: "a IPv6; a bind :: 8000; a set IPV6_V6ONLY", is: "EINVAL" },
  "no IPv6 option": { story: "a IPv4; a set IPV6_V6ONLY", is: "ENOPROTOOPT" },
  "no such option": {
    story: "a IPv4; a set SO_REUSEPORT",
    is: "ENOPROTOOPT",
    host: plainHost("windows"),
    notRun: "another system",
  },
  "range reversed": { story: "a IPv4; a set IP_LOCAL_PORT_RANGE=9000-8000", is: "EINVAL" },
  "no such device": { story: "a IPv4; a set SO_BINDTODEVICE=eth9", is: "ENODEV" },
};

const all = Object.entries(EXAMPLES) as [RuleName, Example][];

describe("by the rules", () => {
  test.each(all)("%s", (rule, { story, is, host }) => {
    const { answer } = tell(story, host);
    expect(answer.rule).toBe(rule);
    expect(answer.outcome === "refused" ? answer.code : answer.outcome).toBe(is);
  });

  test("each names its place in the source", () => {
    for (const rule of Object.values(RULES)) {
      expect(rule.text).toMatch(/^\w.*\.$/);
      expect(rule.function).not.toBe("");
    }
  });
});

describe("on the running kernel", () => {
  const open: BindHost[] = [];
  afterAll(() => open.forEach((host) => host.close()));

  for (const [rule, { story, host }] of all.filter(([, { notRun }]) => notRun === undefined)) {
    testNeeding(["a network namespace"], rule, () => {
      let state = emptyState({ portRange: [20_000, 20_099], ...host });
      const kernel = new BindHost(state.host);
      open.push(kernel);
      for (const request of storyRequests(story)) {
        const beside = runBeside(state, kernel.run, request);
        expect(beside.agrees, JSON.stringify([request, beside.predicted, beside.ran])).toBe(true);
        state = beside.state;
      }
    });
  }
});
