/** The library's calls: what the commands of the same names do, without the command line. */
import { afterEach, beforeEach, expect } from "vitest";
import type { Scenario as BindScenario } from "../../src/bind/scenario.ts";
import {
  free,
  predict,
  waitForPort,
  WaitError,
  why,
  type FreeStep,
  type PortStanding,
  type Scenario,
} from "../../src/node/index.ts";
import { bindsNow, flags, handOver, sockets } from "../diagnose/situation.ts";
import { endAll, lastack } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { enterNamespace } from "../support/tcp.ts";
import { orphan } from "./situations.ts";

const NAMESPACE = ["a network namespace"] as const;

beforeEach(() => enterNamespace());
afterEach(async () => {
  sockets.close();
  await endAll();
});

testNeeding(NAMESPACE, "why: as the command says it", () => {
  const { pid } = handOver([sockets.listener("0.0.0.0", { port: 6000 })]);
  const told = why(6000);
  expect(told).toMatchObject({ port: 6000, answer: "blocked", freeAt: null, processes: [{ pid, program: "cat" }] });
  const [command] = (JSON.parse(lastack(["why", "6000", "--json"]).stdout) as { ports: [typeof told] }).ports;
  const steady = ({ asks, sockets: rows, processes }: typeof told) => ({ asks, sockets: rows, processes });
  expect(JSON.parse(JSON.stringify(steady(told)))).toEqual(steady(command));
  expect(Object.keys(told)).toEqual(Object.keys(command));
  expect(why(6001)).toMatchObject({ answer: "free", asks: [{ provedBy: "trial" }, { provedBy: "trial" }] });
  expect(why(6001, { probe: false }).asks).toMatchObject([{ provedBy: "facts" }, { provedBy: "facts" }]);
});

testNeeding(NAMESPACE, "why: of one bind, as described", () => {
  const listener = sockets.listener("0.0.0.0", { port: 6000, prepare: flags({ reusePort: true }) });
  void listener;
  const asked = (where: object) => why({ port: 6000, ...where }).asks.map(({ outcome, address }) => [address, outcome]);
  expect(asked({ reusePort: true })).toEqual([["0.0.0.0", "granted"]]);
  expect(asked({ address: "::1", ipv6Only: true })).toEqual([["::1", "granted"]]);
  expect(asked({ address: "127.0.0.1" })).toEqual([
    ["127.0.0.1", "refused"],
    ["127.0.0.1", "refused"],
  ]);
  for (const port of [0, 65_536, 1.5, Number.NaN]) expect(() => why(port)).toThrow(RangeError);
  expect(() => why({ port: 1, address: "localhost" })).toThrow(/'localhost' is not an IP address/);
  expect(() => why({ port: 1, address: "127.0.0.1", ipv6Only: true })).toThrow(TypeError);
});

testNeeding(["a network namespace", "a second uid"], "why: as another user", () => {
  const listener = sockets.listener("0.0.0.0", { port: 6000, prepare: flags({ reusePort: true }) });
  void listener;
  expect(why({ port: 6000, reusePort: true, uid: 65_534 }).asks).toMatchObject([{ uid: 65_534, outcome: "refused" }]);
});

testNeeding(NAMESPACE, "free: what would end, then its end, step by step", async () => {
  const holder = handOver([sockets.listener("0.0.0.0", { port: 6000 })]);
  const { pid } = holder;
  const plan = { processes: [{ pid, program: "cat" }], refusals: [] };
  expect(await free(6000, { dryRun: true })).toMatchObject({ free: false, plan, did: [], after: null });
  expect(await free(6000, { only: "nginx" })).toMatchObject({
    free: false,
    plan: { refusals: [{ reason: expect.stringMatching(/not only nginx holds it/) }] },
    after: null,
  });
  expect(holder.child.exitCode).toBeNull();
  const steps: FreeStep[] = [];
  const freed = await free({ port: 6000, address: "127.0.0.1" }, { onStep: (step) => steps.push(step) });
  expect(freed).toMatchObject({ free: true, plan, did: steps, running: [], error: null, after: { answer: "free" } });
  expect(steps).toMatchObject([
    { kind: "signalled", signal: "SIGTERM", pid, program: "cat" },
    { kind: "ended", pid },
  ]);
  expect(bindsNow("0.0.0.0", 6000)).toBe(true);
  expect(await free(6000)).toMatchObject({ free: true, did: [], after: null });
});

testNeeding(NAMESPACE, "free: never the caller", async () => {
  const listener = sockets.listener("0.0.0.0", { port: 6000 });
  void listener;
  const { free: isFree, plan, did } = await free(6000, { force: true });
  expect(isFree).toBe(false);
  expect(plan.refusals.map(({ reason }) => reason).join()).toContain(`(pid ${process.pid}, `);
  expect(did).toEqual([]);
});

testNeeding(NAMESPACE, "waitForPort: until it can be bound", async () => {
  expect(await waitForPort(6001)).toEqual({ waitedMs: 0 });
  await orphan(6000);
  const told: PortStanding[] = [];
  const { waitedMs } = await waitForPort(6000, { onWait: (standing) => told.push(standing) });
  expect(waitedMs).toBeGreaterThan(0);
  expect(told).toEqual([
    { port: 6000, headline: expect.stringContaining("FIN-WAIT-2"), freeAtMs: expect.any(Number) as number },
  ]);
  expect(bindsNow("0.0.0.0", 6000)).toBe(true);
});

testNeeding(NAMESPACE, "waitForPort: no longer than asked, not for a permission, and not after an abort", async () => {
  const { pid } = handOver([sockets.listener("0.0.0.0", { port: 6000 })]);
  const error = await waitForPort(6000, { timeoutMs: 50 }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(WaitError);
  expect(error).toMatchObject({ code: "ETIMEDOUT", standing: { port: 6000 } });
  expect((error as Error).message).toContain(`cat (pid ${pid}, root) listens`);
  await expect(waitForPort({ port: 80, uid: 65_534 })).rejects.toMatchObject({ code: "EACCES" });
  const reason = new Error("enough");
  const abort = new AbortController();
  await expect(waitForPort(6000, { signal: abort.signal, onWait: () => abort.abort(reason) })).rejects.toBe(reason);
});

testNeeding(NAMESPACE, "waitForPort: until somebody listens", async () => {
  const waiting = waitForPort({ port: 6000, address: "127.0.0.1" }, { open: true, timeoutMs: 10_000 });
  const listener = sockets.listener("127.0.0.1", { port: 6000 });
  void listener;
  expect((await waiting).waitedMs).toBeGreaterThan(0);
});

testNeeding([], "predict: the rules' answers, and where a scenario is wrong", () => {
  const steps = [
    { call: "socket", socket: "a", family: "IPv4" },
    { call: "bind", socket: "a", address: "127.0.0.1", port: 8000 },
    { call: "listen", socket: "a" },
    { call: "socket", socket: "b", family: "IPv4", options: { SO_REUSEADDR: true } },
    { call: "bind", socket: "b", address: "0.0.0.0", port: 8000 },
  ] as const;
  const { system, basis, answers } = predict({ steps: [...steps] });
  expect([system, basis]).toEqual(["linux", "rules"]);
  expect(answers.at(-1)).toMatchObject({
    step: 4,
    predicted: { outcome: "refused", code: "EADDRINUSE", sockets: ["a"] },
  });
  expect(predict({ steps: [...steps] }, { system: "windows" })).toMatchObject({ basis: "documents" });
  expect(() => predict({ steps: [{ call: "listen", socket: "x" }] })).toThrow(
    "steps.0.socket: there is no socket 'x' yet",
  );
});

/** The library's own type of scenarios (the other one has valibot's in it) is theirs: this compiles. */
type Known = Omit<BindScenario, "$schema" | "schema">;
const toOwn = (scenario: Known): Scenario => scenario;
const toKnown = (scenario: Scenario): Known => scenario;

testNeeding([], "predict takes what the command takes", () => {
  const scenario: Scenario = {
    host: { reservedPorts: [[8000, 8010]], mayBindPrivileged: false },
    steps: [
      { call: "socket", socket: "a", family: "IPv6" },
      { call: "bind", socket: "a", address: "::", port: 80 },
    ],
  };
  expect(predict(toOwn(toKnown(scenario))).answers.at(-1)).toMatchObject({ predicted: { code: "EACCES" } });
});
