import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hopsLeft } from "../../src/codec/ip.ts";
import { decodePacket, encodePacket, hasGoodChecksum } from "../../src/codec/packet.ts";
import { Link, type LinkEvent } from "../../src/link/link.ts";
import type { Action, Rule } from "../../src/link/rule.ts";
import type { LinkSegment } from "../../src/link/segment.ts";
import { packetOf, type SegmentWords } from "../support/packets.ts";

let ids = 0;

function segment(words: Partial<SegmentWords> = {}): LinkSegment {
  const bytes = encodePacket(packetOf({ from: "client", flags: ["ACK"], seq: 100, ...words }));
  const packet = decodePacket(bytes);
  if (!packet.ok) throw new Error("no packet");
  const from = words.from ?? "client";
  const to = from === "client" ? "server" : "client";
  return { id: ++ids, from, to, bytes, packet: packet.value, relativeSeq: (words.seq ?? 100) - 99 };
}

const fates = (events: readonly LinkEvent[]) => events.map(({ fate }) => fate);
const text = ({ segment: { packet } }: LinkEvent) => new TextDecoder().decode(packet.tcp.payload);
const delivered = (events: readonly LinkEvent[]) => events.filter(({ fate }) => fate === "delivered").map(text);

function linkWith(action: Action, rule: Partial<Rule> = {}): Link {
  const link = new Link();
  link.add({ name: "rule", match: { payload: true }, action, ...rule });
  return link;
}

const data = (letter: string, from: "client" | "server" = "client") => segment({ from, data: letter });

test("without rules everything passes, one hop poorer", () => {
  const [event] = new Link().offer(segment(), 0);
  expect(event).toMatchObject({ fate: "delivered", hopsLeft: 63 });
});

describe("what a rule does", () => {
  test("drop: it is gone", () => {
    expect(fates(linkWith({ do: "drop" }).offer(data("a"), 0))).toEqual(["dropped"]);
  });

  test("hold: until it is released, in the order in which it came, and as many as are asked for", () => {
    const link = linkWith({ do: "hold", as: "old" });
    for (const letter of "abc") expect(fates(link.offer(data(letter), 0))).toEqual(["held"]);
    expect(link.held("old")).toHaveLength(3);
    expect(fates(link.release("old", 1))).toEqual(["released", "delivered"]);
    expect(delivered(link.release("old"))).toEqual(["b", "c"]);
    expect(link.release("old")).toEqual([]);
  });

  test("copy: it passes, and comes again when the copy is released", () => {
    const link = linkWith({ do: "copy", as: "old" });
    expect(delivered(link.offer(data("a"), 0))).toEqual(["a"]);
    const again = link.release("old");
    expect(delivered(again)).toEqual(["a"]);
    expect(again.at(-1)).toMatchObject({ hopsLeft: 63 });
  });

  test("delay: it is due after its time, not before, and the earlier first", () => {
    const link = linkWith({ do: "delay", byUs: 500 });
    link.offer(data("a"), 1000);
    link.offer(data("b"), 900);
    expect(link.nextDueUs).toBe(1400);
    expect(link.due(1399)).toEqual([]);
    expect(delivered(link.due(1500))).toEqual(["b", "a"]);
    expect(link.nextDueUs).toBeUndefined();
  });

  test("duplicate: it arrives once more for each copy", () => {
    const events = linkWith({ do: "duplicate", copies: 2 }).offer(data("a"), 0);
    expect(fates(events)).toEqual(["delivered", "duplicated", "delivered", "duplicated", "delivered"]);
    expect(events.map((event) => ("copy" in event ? event.copy : undefined))).toEqual([undefined, 2, 2, 3, 3]);
  });

  test("reorder: others of the same host pass first, not those of the other", () => {
    const link = linkWith({ do: "reorder", behind: 2 }, { times: 1 });
    expect(delivered(link.offer(data("a"), 0))).toEqual([]);
    expect(delivered(link.offer(data("x", "server"), 0))).toEqual(["x"]);
    expect(delivered(link.offer(data("b"), 0))).toEqual(["b"]);
    expect(delivered(link.offer(data("c"), 0))).toEqual(["c", "a"]);
  });

  test("modify: the change is made and the checksums are right", () => {
    const link = linkWith({ do: "modify", change: { set: ["FIN"], clear: ["ACK"], seqBy: -200, payload: "changed" } });
    const [modified, event] = link.offer(data("a"), 0);
    expect(modified!.fate).toBe("modified");
    const { packet, bytes } = event!.segment;
    expect(packet.tcp).toMatchObject({ flags: 1, seq: (100 - 200) >>> 0 });
    expect(text(event!)).toBe("changed");
    expect(hasGoodChecksum(bytes)).toBe(true);
  });
});

describe("which segments a rule is applied to", () => {
  test("skip and times choose among those that match", () => {
    const link = linkWith({ do: "drop" }, { skip: 1, times: 2 });
    expect(Array.from("abcde", (letter) => link.offer(data(letter), 0)[0]!.fate)).toEqual([
      "delivered",
      "dropped",
      "dropped",
      "delivered",
      "delivered",
    ]);
    expect(link.applied("rule")).toBe(2);
  });

  test.each([
    [{ from: "server" }, false],
    [{ from: "client", to: "server" }, true],
    [{ has: ["ACK"] }, true],
    [{ has: ["ACK", "FIN"] }, false],
    [{ lacks: ["SYN"] }, true],
    [{ lacks: ["ACK"] }, false],
    [{ payload: false }, false],
    [{ payload: "need" }, true],
    [{ payload: "pin" }, false],
    [{ seq: { from: 1, to: 2 } }, true],
    [{ seq: { from: 2, to: 9 } }, false],
    [{ port: 8000 }, true],
    [{ port: 40_000 }, true],
    [{ port: 80 }, false],
  ] as const)("%j matches a data segment of the client: %s", (match, expected) => {
    const link = new Link();
    link.add({ name: "rule", match, action: { do: "drop" } });
    expect(link.offer(segment({ data: "a needle" }), 0)[0]!.fate === "dropped").toBe(expected);
  });

  test("the first rule that matches decides, and one that was taken back does no more", () => {
    const link = linkWith({ do: "drop" });
    link.add({ name: "later", match: {}, action: { do: "hold", as: "x" } });
    expect(fates(link.offer(data("a"), 0))).toEqual(["dropped"]);
    link.remove("rule");
    expect(fates(link.offer(data("a"), 0))).toEqual(["held"]);
  });
});

test("hops: each router takes one, and a segment that has none left dies", () => {
  const link = new Link();
  link.routers = 63;
  expect(link.offer(segment(), 0)[0]).toMatchObject({ fate: "delivered", hopsLeft: 1 });
  link.routers = 64;
  expect(fates(link.offer(segment(), 0))).toEqual(["expired"]);
});

const action = fc.oneof(
  fc.constant<Action>({ do: "drop" }),
  fc.constant<Action>({ do: "hold", as: "h" }),
  fc.constant<Action>({ do: "copy", as: "h" }),
  fc.integer({ min: 0, max: 50 }).map((byUs): Action => ({ do: "delay", byUs })),
  fc.integer({ min: 1, max: 3 }).map((copies): Action => ({ do: "duplicate", copies })),
  fc.integer({ min: 1, max: 3 }).map((behind): Action => ({ do: "reorder", behind })),
);
const rule = fc.record({
  name: fc.constant("rule"),
  match: fc.record({ from: fc.constantFrom("client", "server") }),
  action,
  skip: fc.integer({ min: 0, max: 3 }),
  times: fc.integer({ min: 1, max: 5 }),
});
const offers = fc.array(fc.constantFrom<"client" | "server">("client", "server"), { maxLength: 30 });

test("no segment is lost but by a rule, none comes out of nothing, and the same again fares the same", () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 4 }), offers, (rules, senders) => {
      const run = () => {
        const link = new Link();
        for (const each of rules) link.add(each);
        const segments = senders.map((from, i) => ({ ...segment({ from, data: String(i) }), id: i }));
        const events = segments.flatMap((each, i) => [...link.offer(each, i), ...link.due(i)]);
        // Whoever waits for others to pass gets what it waits for.
        const pushers = (["client", "server"] as const).flatMap((from) => Array.from({ length: 40 }, () => from));
        for (const from of pushers) events.push(...link.offer({ ...segment({ from }), id: -1 }, 1000));
        events.push(...link.due(10_000), ...link.release("h"));
        return events.filter((event) => event.segment.id >= 0);
      };
      const events = run();
      for (let id = 0; id < senders.length; id++) {
        const own = fates(events.filter((event) => event.segment.id === id));
        expect(own.filter((fate) => fate === "delivered").length).toBe(
          own.includes("dropped") ? 0 : 1 + own.filter((fate) => fate === "duplicated").length,
        );
      }
      for (const event of events) expect(hopsLeft(event.segment.packet.ip)).toBe(64);
      const plain = (all: readonly LinkEvent[]) => all.map(({ fate, segment: { id } }) => `${id} ${fate}`);
      expect(plain(run())).toEqual(plain(events));
    }),
  );
});
