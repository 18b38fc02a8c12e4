/** Scenarios as files: what is read, and what is said of a bad one. */
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hostOf, readScenario, requestsOf, type ScenarioStep } from "../../src/bind/scenario.ts";
import { PLAIN_HOST } from "../../src/bind/state.ts";
import { scenarioJsonSchema } from "../support/scenario-schema.ts";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const socket = { call: "socket", socket: "a", family: "IPv4" };
const scenario = (...steps: unknown[]) => readScenario(JSON.stringify({ schema: 1, steps }));

describe("a file that is none says where and why", () => {
  test.each([
    ["{", "the file", /JSON/],
    ["[]", "schema", /schema/],
    ['{"schema": 2, "steps": []}', "schema", /1/],
    ['{"schema": 1, "steps": []}', "steps", /at least one step/],
    ['{"schema": 1, "steps": [{"call": "open"}]}', "steps.0.call", /"socket"/],
    ['{"schema": 1, "host": {"portRange": [9, 8]}, "steps": []}', "host.portRange", /lowest port first/],
    [
      '{"schema": 1, "steps": [{"call": "socket", "socket": "a\\u001b", "family": "IPv4"}]}',
      "steps.0.socket",
      /a name/,
    ],
  ])("%s", (text, where, problem) => {
    const result = readScenario(text);
    expect(result).toMatchObject({ ok: false, where });
    expect(!result.ok && result.problem).toMatch(problem);
  });

  test.each([
    [[{ call: "bind", socket: "a", address: "::", port: 1 }], "steps.0.socket", "there is no socket 'a' yet"],
    [[socket, socket], "steps.1.socket", "there is a socket 'a' already; names are used once"],
    [[socket, { call: "close", socket: "a" }, { call: "listen", socket: "a" }], "steps.2.socket", "'a' is closed"],
    [
      [socket, { call: "accept", socket: "a", as: "a" }],
      "steps.1.as",
      "there is a socket 'a' already; names are used once",
    ],
    [
      [socket, { call: "bind", socket: "a", address: "0.0.0.0", port: "b" }],
      "steps.1.port",
      "there is no socket 'b' yet",
    ],
    [
      [socket, { call: "bind", socket: "a", address: "localhost", port: 1 }],
      "steps.1.address",
      "expected an IP address, like 127.0.0.1 or ::1",
    ],
    [
      [socket, { call: "bind", socket: "a", address: "0.0.0.0", port: 70_000 }],
      "steps.1.port",
      "expected a port: a whole number from 0 to 65535",
    ],
    [
      [socket, { call: "bind", socket: "a", address: "0.0.0.0", port: true }],
      "steps.1.port",
      "expected a port, 0 to 65535, or the name of a socket whose port is meant",
    ],
  ])("%j", (steps, where, problem) => {
    expect(scenario(...steps)).toEqual({ ok: false, where, problem });
  });

  test("nothing that is read throws", () => {
    fc.assert(fc.property(fc.json(), (text) => void readScenario(text)));
  });
});

describe("steps become requests", () => {
  const requests = (step: ScenarioStep) => requestsOf(step, new Map([["a", 8001]]), ["", "lo", "wire0"]);

  test("options are calls of their own", () => {
    const options = { SO_REUSEADDR: true, SO_BINDTODEVICE: "wire0", IP_LOCAL_PORT_RANGE: [8000, 8009] } as const;
    const step: ScenarioStep = {
      call: "socket",
      socket: "b",
      family: "IPv4",
      options: { ...options, IP_LOCAL_PORT_RANGE: [8000, 8009] },
    };
    expect(requests(step)).toEqual([
      { name: "socket", socket: "b", family: "IPv4", uid: 0 },
      { name: "setsockopt", socket: "b", option: "SO_REUSEADDR", value: 1 },
      { name: "setsockopt", socket: "b", option: "SO_BINDTOIFINDEX", value: 2 },
      { name: "setsockopt", socket: "b", option: "IP_LOCAL_PORT_RANGE", value: 8000 + 65_536 * 8009 },
    ]);
  });

  test("a name stands for the port that a socket got; it is nothing before", () => {
    const bind = (port: string): ScenarioStep => ({ call: "bind", socket: "b", address: "::1", port });
    expect(requests(bind("a"))).toEqual([{ name: "bind", socket: "b", address: "::1", port: 8001 }]);
    expect(requests(bind("c"))).toBeUndefined();
  });
});

test("the host of a scenario is a plain one, with what it says otherwise", () => {
  const result = readScenario(
    JSON.stringify({ schema: 1, host: { addresses: ["FD09::1"], timestamps: false }, steps: [socket] }),
  );
  const host = result.ok && hostOf(result.scenario, PLAIN_HOST);
  expect(host).toMatchObject({ timestamps: false, portRange: PLAIN_HOST.portRange });
  expect(host && host.addresses.at(-1)).toEqual({ address: "fd09::1", onLink: 64, device: "wire0" });
});

test("docs/predict.schema.json is the schema that files are read by (npm run schema)", () => {
  expect(JSON.parse(read("docs/predict.schema.json"))).toEqual(JSON.parse(JSON.stringify(scenarioJsonSchema())));
});

test.each(readdirSync(new URL("../../examples", import.meta.url)).filter((name) => name.endsWith(".json")))(
  "examples/%s is a scenario",
  (name) => {
    expect(readScenario(read(`examples/${name}`))).toMatchObject({ ok: true });
  },
);
