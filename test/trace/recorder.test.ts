import { expect, test } from "vitest";
import { Recorder, summarize, type SocketSight } from "../../src/trace/recorder.ts";

function recorder(): { recorder: Recorder; at: (us: number) => void } {
  let now = 0;
  return { recorder: new Recorder(() => now), at: (us) => (now = us) };
}

const END = { local: { address: "10.9.0.2", port: 8000 }, peer: { address: "10.9.0.1", port: 40_000 } };
const sight = (more: Partial<SocketSight>): SocketSight => ({ key: "7", state: "ESTABLISHED", ...END, ...more });
const timewait = (leftMs: number) => sight({ state: "TIME-WAIT", timer: { kind: "timewait", leftMs } });

test("sockets are numbered by host in the order in which they are met, and keep their names", () => {
  const { recorder: trace } = recorder();
  expect(["a", "b", "a"].map((key) => trace.idOf("server", key))).toEqual(["server/1", "server/2", "server/1"]);
  expect(trace.idOf("client", "a")).toBe("client/1");
});

test("a state is recorded when it changes, with what changed it", () => {
  const { recorder: trace } = recorder();
  trace.saw("server", sight({}), 5);
  trace.saw("server", sight({}), 6);
  trace.saw("server", sight({ state: "CLOSE-WAIT" }), 7);
  trace.lost("server", "7", 8);
  trace.lost("server", "7", 9);
  expect(trace.events).toMatchObject([
    { kind: "state", socket: "server/1", from: "CLOSED", to: "ESTABLISHED", cause: 5 },
    { kind: "state", from: "ESTABLISHED", to: "CLOSE-WAIT", cause: 7 },
    { kind: "state", from: "CLOSE-WAIT", to: "CLOSED", cause: 8 },
  ]);
  expect(trace.socketsOf("server")).toEqual([]);
  expect(trace.socket("server/1")).toMatchObject({ state: "CLOSED", ...END });
});

test("TIME-WAIT's timer that runs down is no event; one that has more left than it should was restarted", () => {
  const { recorder: trace, at } = recorder();
  trace.saw("server", timewait(60_000), 1);
  at(400_000);
  trace.saw("server", timewait(59_600), 2);
  expect(trace.events).toHaveLength(1);
  at(500_000);
  trace.saw("server", timewait(60_000), 3);
  expect(trace.events[1]).toMatchObject({
    kind: "timer",
    what: "restarted",
    timer: "timewait",
    leftMs: 60_000,
    cause: 3,
  });
});

test("a socket that goes when nothing was done to it, goes by its timer", () => {
  const { recorder: trace } = recorder();
  trace.saw("server", timewait(1));
  trace.lost("server", "7");
  expect(trace.events.slice(1)).toMatchObject([
    { kind: "timer", what: "expired", timer: "timewait" },
    { kind: "state", to: "CLOSED" },
  ]);
});

test("a retransmission timer that went off while time passed is told, and names what it caused", () => {
  const { recorder: trace } = recorder();
  const armed = (retransmits: number) => sight({ timer: { kind: "retransmit", leftMs: 200 }, retransmits });
  expect(trace.saw("server", armed(0), 1)).toBeUndefined();
  expect(trace.saw("server", armed(1))).toBe(2);
  expect(trace.events[1]).toMatchObject({ kind: "timer", timer: "retransmit", what: "expired" });
});

test("what was read is told by its length and how it begins, what is not plain ASCII escaped", () => {
  expect(summarize(new TextEncoder().encode("I am client\0\u001b\\"))).toEqual({
    length: 14,
    head: "I am client\\x00\\x1b\\x5c",
  });
  const long = summarize(new Uint8Array(1000).fill(0x61));
  expect(long).toEqual({ length: 1000, head: "a".repeat(64) });
});
