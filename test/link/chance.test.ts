/** What happens by chance to segments that no rule is about. */
import { expect, test } from "vitest";
import { encodePacket } from "../../src/codec/packet.ts";
import { generator, NO_CHANCE, type Chance } from "../../src/link/chance.ts";
import { Link, type LinkEvent } from "../../src/link/link.ts";
import type { LinkSegment } from "../../src/link/segment.ts";
import { packetOf } from "../support/packets.ts";
import { seed } from "../support/random.ts";

const MANY = 2000;
const packet = packetOf({ from: "client", flags: ["ACK"], seq: 1, data: "x" });
const bytes = encodePacket(packet);

function segment(id: number): LinkSegment {
  return { id, from: "client", to: "server", packet, bytes, relativeSeq: 1 };
}

function linkWith(chance: Partial<Chance>): Link {
  const link = new Link();
  link.chance = { of: { ...NO_CHANCE, ...chance }, random: generator(seed) };
  return link;
}

function offerMany(link: Link): LinkEvent[] {
  return Array.from({ length: MANY }, (_, i) => link.offer(segment(i), 0)).flat();
}

const count = (events: readonly LinkEvent[], fate: LinkEvent["fate"]) =>
  events.filter((event) => event.fate === fate).length;

test("loss: about so many are dropped, the others arrive", () => {
  const events = offerMany(linkWith({ loss: 0.25 }));
  expect(count(events, "dropped") / MANY).toBeCloseTo(0.25, 1);
  expect(count(events, "dropped") + count(events, "delivered")).toBe(MANY);
});

test("duplication: about so many arrive twice, and the second says which copy it is", () => {
  const events = offerMany(linkWith({ duplication: 0.25 }));
  const twice = count(events, "duplicated");
  expect(twice / MANY).toBeCloseTo(0.25, 1);
  expect(count(events, "delivered")).toBe(MANY + twice);
  expect(events.filter((event) => event.fate === "delivered" && event.copy === 2)).toHaveLength(twice);
});

test("delay: each is due after its time; with jitter one overtakes another", () => {
  const link = linkWith({ delayUs: 1000 });
  expect(count(offerMany(link), "delayed")).toBe(MANY);
  expect(link.due(999)).toEqual([]);
  expect(link.due(1000).map((event) => event.segment.id)).toEqual(Array.from({ length: MANY }, (_, i) => i));
  const jittery = linkWith({ delayUs: 1000, jitterUs: 500 });
  offerMany(jittery);
  const order = jittery.due(1500).map((event) => event.segment.id);
  expect(order).toHaveLength(MANY);
  expect(order).not.toEqual(order.toSorted((a, b) => a - b));
});

test("what a rule is about has no chance", () => {
  const link = linkWith({ loss: 1 });
  link.add({ name: "rule", match: { payload: true }, action: { do: "hold", as: "kept" } });
  expect(link.offer(segment(1), 0)).toMatchObject([{ fate: "held" }]);
});
