/** What a listing of sockets does not tell, and answers that hang on it. */
import { describe, expect, test } from "vitest";
import { stateOf, type ListedSocket } from "../../src/bind/listing.ts";
import { continueStory } from "../support/bind-story.ts";

const row = (id: string, more: Partial<ListedSocket> = {}): ListedSocket => ({
  id,
  family: "IPv4",
  state: "LISTEN",
  local: { address: "0.0.0.0", port: 8000 },
  device: "",
  hasOwner: true,
  uid: 1000,
  ...more,
});
const TIME_WAIT = {
  state: "TIME-WAIT",
  hasOwner: false,
  local: { address: "127.0.0.1", port: 8000 },
  peer: { address: "127.0.0.1", port: 40_000 },
  uid: undefined,
} as const;

const ask = (rows: ListedSocket[], you: string) => continueStory(stateOf(rows), `you IPv4 ${you}`).answer;

describe("whatever is unknown", () => {
  test("a listener blocks who has set no flag", () => {
    expect(ask([row("a")], "; you bind 0.0.0.0 8000")).toMatchObject({ outcome: "refused", sockets: ["a"] });
  });

  test("a listener blocks SO_REUSEADDR", () => {
    expect(ask([row("a")], "SO_REUSEADDR; you bind 0.0.0.0 8000").outcome).toBe("refused");
  });

  test("another address is free", () => {
    const other = row("a", { local: { address: "127.0.0.2", port: 8000 } });
    expect(ask([other], "SO_REUSEADDR SO_REUSEPORT; you bind 127.0.0.1 8000; you listen").outcome).toBe("granted");
  });
});

describe("an answer depends on", () => {
  test("SO_REUSEADDR that a TIME-WAIT has kept", () => {
    expect(ask([row("tw", TIME_WAIT)], "SO_REUSEADDR; you bind 0.0.0.0 8000")).toMatchObject({
      outcome: "depends",
      code: "EADDRINUSE",
      sockets: ["tw"],
      unknown: [{ of: "socket", id: "tw", fact: "SO_REUSEADDR" }],
    });
  });

  test("SO_REUSEPORT of a listener, and what the port's bucket remembers", () => {
    const { outcome, unknown } = ask([row("a")], "SO_REUSEPORT uid=1000; you bind 0.0.0.0 8000");
    expect(outcome).toBe("depends");
    expect(unknown).toEqual([
      { of: "socket", id: "a", fact: "SO_REUSEPORT" },
      { of: "bucket", port: 8000 },
    ]);
  });

  test("nothing, once it is known", () => {
    const asked = "SO_REUSEADDR; you bind 0.0.0.0 8000";
    expect(ask([row("tw", { ...TIME_WAIT, reuseAddress: true })], asked).outcome).toBe("granted");
    expect(ask([row("tw", { ...TIME_WAIT, reuseAddress: false })], asked).outcome).toBe("refused");
  });

  test("only those facts that would lift the refusal", () => {
    const rows = [row("known", { state: "BOUND", reuseAddress: true }), row("tw", TIME_WAIT)];
    const { unknown } = ask(rows, "SO_REUSEADDR; you bind 0.0.0.0 8000");
    expect(unknown).toEqual([{ of: "socket", id: "tw", fact: "SO_REUSEADDR" }]);
  });

  test("IPV6_V6ONLY of a connection over IPv6, which no listing tells", () => {
    const connection = row("c", {
      family: "IPv6",
      state: "ESTABLISHED",
      local: { address: "::1", port: 8000 },
      peer: { address: "::1", port: 40_000 },
    });
    const { outcome, unknown } = ask([connection], "; you bind 0.0.0.0 8000");
    expect([outcome, unknown]).toEqual(["depends", [{ of: "socket", id: "c", fact: "IPV6_V6ONLY" }]]);
    expect(ask([connection], "; you bind 127.0.0.1 8000").outcome).toBe("granted");
  });
});

test("listen is asked behind bind: two that are bound share, and only one listens", () => {
  const bound = row("a", { state: "BOUND", reuseAddress: true });
  const listening = row("b", { reuseAddress: true, local: { address: "127.0.0.2", port: 8000 } });
  expect(ask([bound], "SO_REUSEADDR; you bind 0.0.0.0 8000; you listen").outcome).toBe("granted");
  expect(ask([bound, listening], "SO_REUSEADDR; you bind 0.0.0.0 8000")).toMatchObject({ sockets: ["b"] });
});

test("what was unknown is so after a step", () => {
  const { state } = continueStory(stateOf([row("tw", TIME_WAIT)]), "you IPv4; you bind 127.0.0.2 8000");
  expect(state.sockets.get("tw")?.reuseAddress).toBeUndefined();
  expect(state.sockets.get("you")?.reuseAddress).toBe(false);
  expect(state.buckets.get(8000)?.fastReusePort).toBeUndefined();
});
