/** Ports that connect chooses, and what becomes of them. */
import { describe, expect, test } from "vitest";
import { continueStory, tell, verdict } from "../support/bind-story.ts";

const SERVERS = "s IPv4; s bind 127.0.0.1 9000; s listen; t IPv4; t bind 127.0.0.2 9000; t listen";
const ONE_PORT = { portRange: [8000, 8000] as const };
const last = (story: string, host = {}) => tell(story, host).answer;

describe("the local port range", () => {
  test("one port serves one connection to each destination", () => {
    const first = `${SERVERS}; a IPv4; a connect 127.0.0.1 9000; b IPv4`;
    expect(verdict(`${first}; b connect 127.0.0.2 9000`, ONE_PORT)).toBe("granted");
    expect(last(`${first}; b connect 127.0.0.1 9000`, ONE_PORT)).toMatchObject({
      code: "EADDRNOTAVAIL",
      sockets: ["a"],
    });
  });

  test("a port that bind was asked for is not used by connect, whatever its destination", () => {
    expect(verdict(`${SERVERS}; a IPv4; a bind 127.0.0.1 8000; b IPv4; b connect 127.0.0.2 9000`, ONE_PORT)).toBe(
      "EADDRNOTAVAIL",
    );
  });

  test("bind to port 0 reserves the port for all destinations; IP_BIND_ADDRESS_NO_PORT does not", () => {
    const two = (options: string) =>
      `${SERVERS}; a IPv4 ${options}; a bind 127.0.0.1 0; a connect 127.0.0.1 9000; b IPv4 ${options}; b bind 127.0.0.1 0`;
    expect(verdict(two(""), ONE_PORT)).toBe("EADDRINUSE");
    expect(verdict(`${two("IP_BIND_ADDRESS_NO_PORT")}; b connect 127.0.0.2 9000`, ONE_PORT)).toBe("granted");
  });

  test("a bound port is open to connect again when its binder is gone and only connections are left", () => {
    const story = `${SERVERS}; a IPv4; a connect 127.0.0.1 9000; b IPv4; !b bind 127.0.0.2 8000`;
    const { state } = tell(story, ONE_PORT);
    expect(state.buckets.get(8000)).toMatchObject({ fastReusePort: 0 });
    expect(continueStory(state, "c IPv4; c connect 127.0.0.2 9000").answer.code).toBe("EADDRNOTAVAIL");
    const freed = continueStory(state, "b close").state;
    expect(continueStory(freed, "c IPv4; c connect 127.0.0.2 9000").answer.outcome).toBe("granted");
  });

  test("IP_LOCAL_PORT_RANGE narrows the range of one socket", () => {
    const host = { portRange: [8000, 8009] as const };
    expect(last("a IPv4 IP_LOCAL_PORT_RANGE=8004-8005; a bind 127.0.0.1 0", host).port).toBe(8004);
    expect(last(`${SERVERS}; a IPv4 IP_LOCAL_PORT_RANGE=8004-0; a connect 127.0.0.1 9000`, host).port).toBe(8004);
    expect(last("a IPv4 IP_LOCAL_PORT_RANGE=7000-7005; a bind 127.0.0.1 0", host).port).toBe(8000);
  });

  test("reserved ports are left out", () => {
    expect(last("a IPv4; a bind 127.0.0.1 0", { ...ONE_PORT, reservedPorts: [[8000, 8000]] }).rule).toBe(
      "no port left to bind",
    );
  });

  test("an ephemeral port collides with the server that wants it", () => {
    expect(last(`${SERVERS}; a IPv4; a connect 127.0.0.1 9000; b IPv4; b bind 0.0.0.0 8000`, ONE_PORT)).toMatchObject({
      code: "EADDRINUSE",
      sockets: ["a"],
    });
  });
});

describe("what the kernel chose is followed, if it could have chosen it", () => {
  const host = { portRange: [8000, 8003] as const };
  const { state } = tell("a IPv4; a bind 127.0.0.1 8001; b IPv4", host);
  const bindTo0 = { name: "bind", socket: "b", address: "127.0.0.1", port: 0 } as const;

  test.each([
    [8002, 8002],
    [8001, 8000],
    [7000, 8000],
  ])("%i: %i", async (port, expected) => {
    const { step } = await import("../../src/bind/step.ts");
    expect(step(state, bindTo0, { port }).answer.port).toBe(expected);
  });
});

describe("refused connections", () => {
  test("give the port back that connect chose, and the address", () => {
    const { state } = tell("a IPv4; !a connect 127.0.0.1 9000");
    expect(state.sockets.get("a")).toMatchObject({ state: "CLOSED", port: 0, address: "0.0.0.0" });
  });

  test("keep the port that bind gave; the address goes back to the wildcard", () => {
    const { state } = tell("a IPv4; a bind 0.0.0.0 8000; !a connect 127.0.0.1 9000");
    expect(state.sockets.get("a")).toMatchObject({ state: "CLOSED", port: 8000, address: "0.0.0.0" });
    expect(continueStory(state, "b IPv4; b bind 127.0.0.2 8000").answer.code).toBe("EADDRINUSE");
  });
});

describe("a connection moves a socket from the wildcard to its address", () => {
  test("so that other addresses are free", () => {
    const story = `${SERVERS}; a IPv4; a bind 0.0.0.0 8000; a connect 127.0.0.1 9000; b IPv4`;
    expect(verdict(`${story}; b bind 127.0.0.2 8000`)).toBe("granted");
    expect(verdict(`${story}; b bind 127.0.0.1 8000`)).toBe("EADDRINUSE");
  });
});

describe("the end of a connection", () => {
  const story = `s IPv4; s bind 127.0.0.1 9000; s listen; a IPv4; a bind 127.0.0.1 8000; a connect 127.0.0.1 9000; s accept c`;

  test("shut down by both: the one that was first leaves a TIME-WAIT beside its socket, which keeps a port of its own", () => {
    const { state } = tell(`${story}; a shutdown write; c close`);
    expect(state.sockets.get("a")).toMatchObject({ state: "CLOSED", port: 8000 });
    expect(state.sockets.get("a/time-wait")).toMatchObject({ state: "TIME-WAIT", port: 8000 });
    expect(state.sockets.has("c")).toBe(false);
  });

  test("a socket that met itself at two addresses leaves a TIME-WAIT at each", () => {
    const twice = `a IPv6; !a shutdown write; a bind :: 8000; !a connect :: 8000; a connect ::ffff:127.0.0.1 8000`;
    const { state } = tell(`${twice}; a shutdown both`);
    const left = [...state.sockets.values()].filter((socket) => socket.state === "TIME-WAIT");
    expect(left.map(({ id, address }) => [id, address])).toEqual([
      ["a/time-wait", "::1"],
      ["a/time-wait-2", "::ffff:127.0.0.1"],
    ]);
  });

  test("SO_LINGER 0 resets it, and leaves nothing", () => {
    const { state } = tell(`${story}; c set SO_LINGER=0; c close; a close; s close`);
    expect([...state.sockets.keys()]).toEqual([]);
    expect(state.buckets.size).toBe(0);
  });

  test("a listener's end resets what nobody accepted", () => {
    const { state } = tell("s IPv4; s bind 127.0.0.1 9000; s listen; a IPv4; a connect 127.0.0.1 9000; s close");
    expect(state.sockets.get("a")).toMatchObject({ state: "CLOSED", port: 0 });
  });

  test("accepted sockets have the listener's flags as they were when the connection came", () => {
    const { state } = tell(
      "s IPv4 SO_REUSEADDR; s bind 127.0.0.1 9000; s listen; a IPv4; a connect 127.0.0.1 9000; s set SO_REUSEADDR=0; s accept c",
    );
    expect(state.sockets.get("c")).toMatchObject({ reuseAddress: true, address: "127.0.0.1", port: 9000 });
  });
});

test("a step leaves the state as it was", () => {
  const { state } = tell("a IPv4; a bind 127.0.0.1 8000");
  const before = structuredClone(state);
  continueStory(state, "a listen; b IPv4; b connect 127.0.0.1 8000; a accept c; c close; a close");
  expect(state).toEqual(before);
});
