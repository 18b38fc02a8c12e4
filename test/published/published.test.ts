/** Published results, on our own endpoint, rules and search; docs/published-results.md has them all. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { encodeConnection } from "../../src/tcp/index.ts";
import { publishedResults } from "./document.ts";
import { countTimeWait, PUBLISHED as WEBSTONE } from "./faber.ts";
import { defaultPorts, exhaust, TIME_WAIT_S } from "./ports.ts";
import { REQUIREMENTS } from "./requirements.ts";
import { figure1, figure2, figure3, figure4, PUBLISHED } from "./rfc1337.ts";
import {
  afterReceiving,
  HALF,
  least,
  PUBLISHED as NETWORKS,
  receiver,
  receives,
  takesOldData,
  takesOldSyn,
} from "./wrap.ts";

describe("RFC 1337, segment by segment", () => {
  test("figure 1: an old duplicate ends TIME-WAIT", () => {
    expect(figure1("none")).toMatchObject({ log: PUBLISHED.figure1, state: "CLOSED" });
  });

  test("figure 2, H1: 80 bytes of old data reach the user, and nobody notices", () => {
    const { log, outcome } = figure2("none");
    expect(log).toEqual(PUBLISHED.figure2);
    expect(outcome).toBe("80 bytes of old data reach B's user");
  });

  test("figure 3, H2: ACKs without end", () => {
    const { log, outcome } = figure3("none");
    expect(log.slice(0, 3)).toEqual(PUBLISHED.figure3);
    expect(new Set(log)).toEqual(new Set(PUBLISHED.figure3));
    expect(outcome).toBe("ACKs without end");
  });

  test("figure 4, H3: the new connection seems to open, and dies", () => {
    const { log, outcome } = figure4("none");
    expect(log).toEqual(PUBLISHED.figure4);
    expect(outcome).toBe("A: CLOSED (reset), B: LISTEN");
  });

  test("F1 keeps TIME-WAIT, for longer than any duplicate lives: no hazard is left", () => {
    expect(figure1("F1")).toMatchObject({ log: PUBLISHED.figure1, state: "TIME-WAIT" });
    for (const figure of [figure2, figure3, figure4])
      expect(figure("F1").outcome).toMatch(/^no duplicate lives so long/);
  });

  test("F2, PAWS, stops H1, and not H3", () => {
    expect(figure2("F2").outcome).toBe("B's user gets what A sent");
    expect(figure4("F2").outcome).toBe("A: CLOSED (reset), B: LISTEN");
  });

  test("RFC 5961 ends the exchange of H2, and stops H3", () => {
    expect(figure3("rfc5961").outcome).toBe("ACKs, ended after 20");
    expect(figure4("rfc5961").outcome).toBe("A: ESTABLISHED, B: ESTABLISHED");
  });
});

describe("RFC 1185: Twrap", () => {
  test.each(NETWORKS)("$network: an old SYN is taken from Twrap on, and not before", ({ bytesPerS, twrapS }) => {
    const bytes = least((count) => takesOldSyn(count, bytesPerS))!;
    expect(bytes).toBe(HALF - 2); // the SYN and the FIN have numbers too
    expect([takesOldSyn(bytes - 1, bytesPerS), takesOldSyn(bytes, bytesPerS)]).toEqual([false, true]);
    // The table's numbers are rounded: the second one down by 12 %.
    expect(bytes / bytesPerS / twrapS).toBeGreaterThan(0.98);
    expect(bytes / bytesPerS / twrapS).toBeLessThan(1.14);
  });

  test("old data are taken when the window has come round to them, and with timestamps never", () => {
    const from = (how: object) => least((bytes) => takesOldData(bytes, 125e6, how));
    expect(2 ** 32 - from({})!).toBeLessThan(65_536);
    expect(2 ** 32 - from({ windowScale: 14 })!).toBeGreaterThan(2 ** 30 - 65_536);
    expect(from({ timestamps: true })).toBeUndefined();
  });

  test.each([{}, { windowScale: 14 }, { timestamps: true }])(
    "a receiver put there is one that has received: %j",
    (how) => {
      const [count, nowUs] = [1_000_000, 5_000_000];
      const moved = receiver(how);
      receives(moved, 1000, count, nowUs);
      const put = afterReceiving(receiver(how), count, nowUs);
      expect(encodeConnection(put, 2 * nowUs)).toEqual(encodeConnection(moved, 2 * nowUs));
    },
  );
});

test("the port ceiling: as many connections as ports in a minute, to each endpoint", () => {
  expect(exhaust(24)).toEqual({ made: 24, code: "EADDRNOTAVAIL", elsewhere: "granted" });
  expect([defaultPorts(), Math.floor(defaultPorts() / TIME_WAIT_S)]).toEqual([28_232, 470]);
});

test("Faber, Touch, Yue: 49.09 connections a second keep 2,945 blocks in TIME-WAIT", () => {
  const { connectionsPerS } = WEBSTONE.server;
  const { connections, least: fewest, mean, most } = countTimeWait(connectionsPerS, 600, "server");
  expect(connections).toBe(29_454);
  expect(mean).toBeCloseTo(60 * connectionsPerS, 1);
  expect([fewest, most]).toEqual([2945, 2946]);
});

test.each(REQUIREMENTS)("RFC $rfc section $where has a test: $title", ({ file, title }) => {
  const text = readFileSync(new URL(`../tcp/${file}.test.ts`, import.meta.url), "utf8");
  const titles = [...text.matchAll(/(?:test|describe)(?:\.each\([\s\S]*?\)\()?\(?\s*"(.*?)"/g)].map(
    (match) => match[1]!,
  );
  expect(titles.filter((one) => one.includes(title))).toHaveLength(1);
});

test("docs/published-results.md is what npm run published-results writes", () => {
  const words = (text: string) => text.replace(/-{3,}/g, "---").replace(/\s+/g, " ");
  const page = readFileSync(new URL("../../docs/published-results.md", import.meta.url), "utf8");
  expect(words(page)).toBe(words(publishedResults()));
});
