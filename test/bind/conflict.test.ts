/** Who stands in whose way: addresses, flags, users, devices, states. */
import { describe, expect, test } from "vitest";
import { continueStory, tell, verdict } from "../support/bind-story.ts";

const afterBound = (existing: string, newcomer: string) =>
  verdict(`a ${existing.replace("@", "; a bind ")} 8000; b ${newcomer.replace("@", "; b bind ")} 8000`);

describe("addresses overlap", () => {
  test.each([
    ["IPv4 @127.0.0.1", "IPv4 @127.0.0.1"],
    ["IPv4 @0.0.0.0", "IPv4 @127.0.0.1"],
    ["IPv4 @127.0.0.1", "IPv4 @0.0.0.0"],
    ["IPv6 @::", "IPv4 @127.0.0.1"],
    ["IPv6 @::", "IPv4 @0.0.0.0"],
    ["IPv4 @127.0.0.1", "IPv6 @::"],
    ["IPv6 @::1", "IPv6 @::"],
    ["IPv6 @::ffff:127.0.0.1", "IPv4 @127.0.0.1"],
    ["IPv4 @0.0.0.0", "IPv6 @::ffff:127.0.0.1"],
    ["IPv6 IPV6_V6ONLY @::", "IPv6 @::1"],
  ])("%s blocks %s", (existing, newcomer) => {
    expect(afterBound(existing, newcomer)).toBe("EADDRINUSE");
  });

  test.each([
    ["IPv4 @127.0.0.1", "IPv4 @127.0.0.2"],
    ["IPv6 IPV6_V6ONLY @::", "IPv4 @0.0.0.0"],
    ["IPv4 @0.0.0.0", "IPv6 IPV6_V6ONLY @::"],
    ["IPv6 @::1", "IPv4 @127.0.0.1"],
    ["IPv6 @::1", "IPv6 @::ffff:127.0.0.1"],
    ["IPv6 IPV6_V6ONLY @::", "IPv6 @::ffff:0.0.0.0"],
  ])("%s does not block %s", (existing, newcomer) => {
    expect(afterBound(existing, newcomer)).toBe("granted");
  });
});

describe("SO_REUSEADDR", () => {
  test.each([
    ["both have set it", "SO_REUSEADDR", "SO_REUSEADDR", "granted"],
    ["only the newcomer has", "", "SO_REUSEADDR", "EADDRINUSE"],
    ["only the older one has", "SO_REUSEADDR", "", "EADDRINUSE"],
    ["the other has set SO_REUSEPORT instead", "SO_REUSEPORT", "SO_REUSEADDR", "EADDRINUSE"],
  ])("%s", (_, older, newer, expected) => {
    expect(afterBound(`IPv4 ${older} @0.0.0.0`, `IPv4 ${newer} @0.0.0.0`)).toBe(expected);
  });

  test("does not help against a listener", () => {
    const listener = "a IPv4 SO_REUSEADDR; a bind 0.0.0.0 8000; a listen";
    const { answer } = tell(`${listener}; b IPv4 SO_REUSEADDR; b bind 0.0.0.0 8000`);
    expect(answer).toMatchObject({ code: "EADDRINUSE", sockets: ["a"] });
  });

  test("two that are only bound share a port, and the second to listen is refused", () => {
    const bound = "a IPv4 SO_REUSEADDR; a bind 0.0.0.0 8000; b IPv4 SO_REUSEADDR; b bind 0.0.0.0 8000";
    expect(verdict(`${bound}; a listen`)).toBe("granted");
    expect(tell(`${bound}; a listen; b listen`).answer).toMatchObject({ code: "EADDRINUSE", sockets: ["a"] });
  });

  test("counts as it is set when somebody binds, not as it was when it bound itself", () => {
    const older = "a IPv4 SO_REUSEADDR; a bind 0.0.0.0 8000; a set SO_REUSEADDR=0";
    expect(verdict(`${older}; b IPv4 SO_REUSEADDR; b bind 0.0.0.0 8000`)).toBe("EADDRINUSE");
  });
});

describe("SO_REUSEPORT", () => {
  const listener = "a IPv4 SO_REUSEPORT uid=1000; a bind 0.0.0.0 8000; a listen";

  test("one user's listeners share a port", () => {
    expect(verdict(`${listener}; b IPv4 SO_REUSEPORT uid=1000; b bind 0.0.0.0 8000; b listen`)).toBe("granted");
  });

  test("another user's socket is refused, root's too", () => {
    expect(verdict(`${listener}; b IPv4 SO_REUSEPORT uid=1001; b bind 0.0.0.0 8000`)).toBe("EADDRINUSE");
    expect(verdict(`${listener}; b IPv4 SO_REUSEPORT uid=0; b bind 0.0.0.0 8000`)).toBe("EADDRINUSE");
  });

  test("the user does not count against TIME-WAIT", () => {
    const timeWait = `${listener}; c IPv4; c connect 127.0.0.1 8000; a accept d; d close; c close; a close`;
    expect(verdict(`${timeWait}; b IPv4 SO_REUSEPORT uid=1001; b bind 0.0.0.0 8000`)).toBe("granted");
  });

  test("the bucket remembers it of a listener that has cleared it, until somebody binds without it", () => {
    const cleared = tell("a IPv4 SO_REUSEPORT; a bind 127.0.0.1 8000; a listen; a set SO_REUSEPORT=0").state;
    const newcomer = "b IPv4 SO_REUSEPORT; b bind 127.0.0.1 8000";
    expect(continueStory(cleared, newcomer).answer.rule).toBe("remembered port sharing");
    const unrelated = continueStory(cleared, "c IPv4; c bind 127.0.0.2 8000").state;
    expect(continueStory(unrelated, newcomer).answer).toMatchObject({ code: "EADDRINUSE", sockets: ["a"] });
  });
});

describe("SO_BINDTODEVICE", () => {
  const host = {
    addresses: [
      { address: "127.0.0.1", prefix: 8, device: "lo" },
      { address: "10.9.0.1", device: "wire0" },
    ],
  };
  const LO = 1;
  const WIRE = 2;
  const on = (a: number, b: number) =>
    verdict(
      `a IPv4; a set SO_BINDTOIFINDEX=${a}; a bind 0.0.0.0 8000; b IPv4; b set SO_BINDTOIFINDEX=${b}; b bind 0.0.0.0 8000`,
      host,
    );

  test("sockets of different devices don't meet; one without a device meets all", () => {
    expect(on(LO, WIRE)).toBe("granted");
    expect(on(LO, LO)).toBe("EADDRINUSE");
    expect(on(0, WIRE)).toBe("EADDRINUSE");
    expect(on(LO, 0)).toBe("EADDRINUSE");
  });
});

describe("states", () => {
  const connected = "a IPv4; a bind 0.0.0.0 8000; a listen; c IPv4; c connect 127.0.0.1 8000; a accept d";
  test.each([
    ["ESTABLISHED", `${connected}; a close`],
    ["CLOSE-WAIT", `${connected}; a close; c close`],
    ["FIN-WAIT-2", `${connected}; a close; d close`],
    ["TIME-WAIT", `${connected}; a close; d close; c close`],
  ])("%s blocks its own address and the wildcard, and no other address", (state, story) => {
    const after = tell(story).state;
    expect(after.sockets.get("d")?.state).toBe(state);
    const at = (address: string) => continueStory(after, `b IPv4 SO_REUSEADDR; b bind ${address} 8000`).answer;
    expect(at("127.0.0.1")).toMatchObject({ code: "EADDRINUSE", sockets: ["d"] });
    expect(at("0.0.0.0")).toMatchObject({ code: "EADDRINUSE", sockets: ["d"] });
    expect(at("127.0.0.2").outcome).toBe("granted");
  });

  test("a connection accepted over ::1 by a dual-stack listener blocks 0.0.0.0, and not 127.0.0.1", () => {
    const { state } = tell("a IPv6; a bind :: 8000; a listen; c IPv6; c connect ::1 8000; a accept d; a close");
    expect(continueStory(state, "b IPv4; b bind 0.0.0.0 8000").answer).toMatchObject({ sockets: ["d"] });
    expect(continueStory(state, "b IPv4; b bind 127.0.0.1 8000").answer.outcome).toBe("granted");
  });

  test("a listener that is shut down keeps its port, and blocks like a bound socket", () => {
    const { state } = tell("a IPv4 SO_REUSEADDR; a bind 0.0.0.0 8000; a listen; a shutdown both");
    expect(state.sockets.get("a")).toMatchObject({ state: "CLOSED", port: 8000 });
    expect(continueStory(state, "b IPv4 SO_REUSEADDR; b bind 0.0.0.0 8000; b listen").answer.outcome).toBe("granted");
  });

  test("a listener whose port the kernel chose loses it by shutdown", () => {
    const { state } = tell("a IPv4; a bind 127.0.0.1 0; a listen; a shutdown both");
    expect(state.sockets.get("a")).toMatchObject({ state: "CLOSED", port: 0, address: "127.0.0.1" });
    expect(state.buckets.size).toBe(0);
  });
});
