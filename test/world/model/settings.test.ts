/** What can be set of a model world, and what comes of it. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { help } from "../../../src/cli/lab.ts";
import { CATALOGUE } from "../../../src/lab/catalogue/index.ts";
import { runExperiment } from "../../../src/lab/run.ts";
import type { Trace } from "../../../src/trace/trace.ts";
import { applySetting, BadSetting, SETTINGS } from "../../../src/world/model/setting-names.ts";
import { PLAIN } from "../../../src/world/model/settings.ts";
import { ModelWorld } from "../../../src/world/model/model-world.ts";

function runWith(id: string, set: readonly string[], seed = 1): Trace {
  const settings = set.reduce(applySetting, PLAIN);
  const experiment = CATALOGUE.find((one) => one.id === id)!;
  return runExperiment(experiment, new ModelWorld({ ...settings, seed }));
}

const fates = ({ events }: Trace) => new Set(events.flatMap((event) => (event.kind === "segment" ? [event.fate] : [])));

describe("what comes of it", () => {
  test("msl: TIME-WAIT lasts twice as long", () => {
    const { events } = runWith("close-four-segments", ["msl=5s"]);
    const state = events.find((event) => event.kind === "state" && event.to === "TIME-WAIT");
    expect(state).toMatchObject({ timer: { kind: "timewait", leftMs: 10_000 } });
  });

  test("msl: one that is shorter than a retransmission takes TIME-WAIT's first reason away", () => {
    expect(runWith("last-ack-lost", ["msl=99ms"]).outcome.status).toBe("failed");
    expect(runWith("last-ack-lost", ["msl=110ms"]).outcome.status).toBe("done");
  });

  test("timeWait=off: there is none", () => {
    const { events, outcome } = runWith("close-four-segments", ["timeWait=off"]);
    expect(outcome.status).toBe("failed");
    expect(events.some((event) => event.kind === "state" && event.to === "TIME-WAIT")).toBe(false);
  });

  test.each([
    ["loss=0.4", "dropped"],
    ["duplication=1", "duplicated"],
    ["delay=5ms", "delayed"],
    ["jitter=5ms", "delayed"],
  ] as const)("%s: segments are %s", (given, fate) => {
    expect(fates(runWith("half-close", [given]))).toContain(fate);
  });

  test("the seed decides: the same run again, or another", () => {
    const set = ["loss=0.2", "jitter=3ms"];
    expect(runWith("half-close", set, 7)).toEqual(runWith("half-close", set, 7));
    expect(runWith("half-close", set, 8)).not.toEqual(runWith("half-close", set, 7));
  });

  test("a parameter of the kernel's", () => {
    const { outcome } = runWith("assassination", ["net.ipv4.tcp_max_tw_buckets=0"]);
    expect(outcome).toMatchObject({ status: "failed", reason: expect.stringContaining("TIME-WAIT") });
  });

  test("profile: whose TCP it is", () => {
    const { events } = runWith("close-four-segments", ["profile=rfc9293"]);
    expect(events.findLast((event) => event.kind === "state" && event.to === "TIME-WAIT")).toMatchObject({
      timer: { leftMs: 240_000 },
    });
  });

  test("buffers and segments", () => {
    const lengths = (set: string[]) =>
      runWith("unread-290960", set).events.flatMap((event) =>
        event.kind === "segment" && event.fate === "sent" ? [event.packet!.payloadLength] : [],
      );
    expect(Math.max(...lengths(["mss=500"]))).toBe(488);
    expect(runWith("unread-290960", ["receiveBuffer=65536"]).outcome.status).toBe("failed");
  });
});

test.each([
  "msl",
  "msl=",
  "=5s",
  "msl=5",
  "msl=-1s",
  "msl=off",
  "loss=1.5",
  "loss=x",
  "mss=1.5",
  "mss=47",
  "receiveBuffer=0",
  "profile=bsd",
  "nothing=1",
  "toString=1",
  "net.ipv4.tcp_fin_timeout=soon",
  "net.ipv4.tcp_nothing=1",
])("'%s' is refused", (given) => {
  expect(() => applySetting(PLAIN, given)).toThrow(BadSetting);
});

test("every setting stands in the help and in the documentation", () => {
  const page = readFileSync(new URL("../../../docs/experiments.md", import.meta.url), "utf8");
  for (const name of [...Object.keys(SETTINGS), "profile", "net.ipv4."]) {
    expect(help).toContain(`\n      ${name}`);
    expect(page).toContain(`\n| \`${name}`);
  }
});
