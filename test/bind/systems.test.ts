/** The table of kernel behaviour on other systems, as their documents have it. Nothing of it is run. */
import { describe, expect, test } from "vitest";
import { startState } from "../../src/bind/start.ts";
import { plainHost } from "../../src/bind/systems.ts";
import type { System } from "../../src/bind/state.ts";
import { continueStory, tell, verdict } from "../support/bind-story.ts";

const TIME_WAIT = `a IPv4; a bind 0.0.0.0 8000; a listen; c IPv4; c connect 127.0.0.1 8000; a accept d;
  d close; c close; a close`;
const SHARED = "a IPv4 SO_REUSEADDR";

const STORIES = {
  "restart over TIME-WAIT, SO_REUSEADDR from now on": `${TIME_WAIT}; b IPv4 SO_REUSEADDR; b bind 0.0.0.0 8000`,
  "restart over TIME-WAIT, without it": `${TIME_WAIT}; b IPv4; b bind 0.0.0.0 8000`,
  "wildcard and specific, both SO_REUSEADDR, the first listens": `${SHARED}; a bind 0.0.0.0 8000; a listen;
    b IPv4 SO_REUSEADDR; b bind 127.0.0.1 8000`,
  "the same address, both SO_REUSEADDR, the first listens": `${SHARED}; a bind 0.0.0.0 8000; a listen;
    b IPv4 SO_REUSEADDR; b bind 0.0.0.0 8000`,
  "the same address, no option": "a IPv4; a bind 0.0.0.0 8000; a listen; b IPv4; b bind 0.0.0.0 8000",
  "wildcard and specific, no option": "a IPv4; a bind 0.0.0.0 8000; a listen; b IPv4; b bind 127.0.0.1 8000",
};

const OK = "granted";
const NO = "EADDRINUSE";
const TABLE: Record<keyof typeof STORIES, Record<System, string>> = {
  "restart over TIME-WAIT, SO_REUSEADDR from now on": { linux: NO, macos: OK, freebsd: OK, windows: OK },
  "restart over TIME-WAIT, without it": { linux: NO, macos: NO, freebsd: NO, windows: OK },
  "wildcard and specific, both SO_REUSEADDR, the first listens": { linux: NO, macos: OK, freebsd: OK, windows: OK },
  "the same address, both SO_REUSEADDR, the first listens": { linux: NO, macos: NO, freebsd: NO, windows: OK },
  "the same address, no option": { linux: NO, macos: NO, freebsd: NO, windows: NO },
  "wildcard and specific, no option": { linux: NO, macos: NO, freebsd: NO, windows: OK },
};

describe.each(Object.entries(TABLE))("%s", (name, row) => {
  test.each(Object.entries(row))("%s: %s", (system, expected) => {
    expect(verdict(STORIES[name as keyof typeof STORIES], plainHost(system as System))).toBe(expected);
  });
});

test.each([
  ["linux", 98],
  ["macos", 48],
  ["freebsd", 48],
  ["windows", 10_048],
] as const)("EADDRINUSE is %s's own number, %i", (system, errno) => {
  expect(tell(STORIES["the same address, no option"], plainHost(system)).answer.errno).toBe(errno);
});

test("what was not run says so", () => {
  expect(tell("a IPv4", plainHost("macos")).answer.basis).toBe("documents");
  expect(tell("a IPv4", plainHost("linux")).answer).not.toHaveProperty("basis");
});

test("SO_REUSEPORT on both sides shares a port on macOS and FreeBSD, between users only for root", () => {
  const second = (uid: number) =>
    `a IPv4 SO_REUSEPORT uid=1000; a bind 0.0.0.0 8000; a listen; b IPv4 SO_REUSEPORT uid=${uid}; b bind 0.0.0.0 8000`;
  expect(verdict(second(1000), plainHost("macos"))).toBe("granted");
  expect(verdict(second(1001), plainHost("macos"))).toBe("EADDRINUSE");
  expect(verdict(second(0), plainHost("freebsd"))).toBe("granted");
});

test("an excluded port range of Windows refuses with 10013, and nobody is the reason; Linux lets one ask for such a port", () => {
  const story = "a IPv4; a bind 0.0.0.0 50010";
  const kept = { reservedPorts: [[50_000, 50_059]] as const };
  expect(tell(story, { ...plainHost("windows"), ...kept }).answer).toMatchObject({ errno: 10_013, sockets: [] });
  expect(verdict(story, kept)).toBe("granted");
  expect(verdict("a IPv4; a bind 0.0.0.0 50060", { ...plainHost("windows"), ...kept })).toBe("granted");
});

test.each([5000, 7000])("AirPlay Receiver listens on %i of macOS", (port) => {
  const bind = (system: System) =>
    continueStory(startState(plainHost(system)), `a IPv4 SO_REUSEADDR; a bind 0.0.0.0 ${port}`).answer;
  expect(bind("macos")).toMatchObject({ code: "EADDRINUSE", errno: 48 });
  expect(bind("macos").sockets[0]).toContain("ControlCenter");
  expect(bind("linux").outcome).toBe("granted");
});
