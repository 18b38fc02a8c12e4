/** The network of a search: what is on its way, and what may become of it. */
import { expect, test } from "vitest";
import { Network, QUIET } from "../../src/prove/network.ts";

const LIFE = 2;
const [A, B] = [7, 8];

/** A network with two segments on their way to host 1. */
function busy(): { network: Network; state: number } {
  const network = new Network(LIFE, 2);
  return { network, state: network.sent(network.sent(QUIET, 1, A), 1, B) };
}

const straysOf = (network: Network, state: number) =>
  network.traffic(state).strays.map(({ segment, ticksLeft }) => [segment, ticksLeft]);

test("what is sent is delivered in its order, and before time goes by", () => {
  const { network, state } = busy();
  expect(network.traffic(state).queues).toEqual([[], [A, B]]);
  expect(network.head(state, 1)).toBe(A);
  const one = network.delivered(state, 1);
  expect(network.traffic(one).queues).toEqual([[], [B]]);
  expect(network.delivered(one, 1)).toBe(QUIET);
  expect(network.later(QUIET)).toBe(QUIET);
});

test("what strays lives for two ticks, in the third of which it may only come before the timers", () => {
  const { network, state } = busy();
  let at = network.delivered(network.copied(state, 1), 1);
  expect(straysOf(network, at)).toEqual([[A, 2]]);
  at = network.later(at)!;
  expect(network.expired(at)).toBe(at);
  at = network.later(at)!;
  expect(straysOf(network, at)).toEqual([[A, 0]]);
  expect(network.expired(at)).toBe(QUIET);
  expect(network.later(at)).toBe(QUIET);
  expect(network.arrived(at, 0)).toBe(QUIET);
});

test("in which order segments strayed makes no difference", () => {
  const { network, state } = busy();
  const both = network.copied(network.copied(state, 1), 1);
  const other = network.sent(network.sent(QUIET, 1, B), 1, A);
  expect(network.copied(network.copied(other, 1), 1)).toBe(both);
  expect(straysOf(network, both)).toEqual([
    [A, 2],
    [B, 2],
  ]);
});

test("which of two hosts a segment is for does", () => {
  const network = new Network(LIFE, 2);
  expect(network.sent(QUIET, 0, A)).not.toBe(network.sent(QUIET, 1, A));
});
