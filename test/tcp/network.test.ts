/** Whatever the network does: bytes arrive in order, once, complete, or the connection reports failure. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as tcp from "../../src/tcp/index.ts";
import { isPrefix, Pair } from "./pair.ts";
import { MS } from "./socket.ts";
import { anyPair } from "./any-pair.ts";

function failed(pair: Pair): boolean {
  return pair.ends.some(({ connection }) => connection.error !== null);
}

describe("a faulty network", () => {
  test("data arrive in order, once; complete, or an end reports failure; and both ends get to CLOSED", () => {
    fc.assert(
      fc.property(anyPair, (given) => {
        const pair = new Pair(given);
        pair.drive();
        const [client, server] = [pair.client, pair.server];
        expect(isPrefix(client.received) && isPrefix(server.received)).toBe(true);
        expect(client.length).toBeLessThanOrEqual(server.user.sends);
        expect(server.length).toBeLessThanOrEqual(client.user.sends);
        if (client.sawEnd) expect(client.length).toBe(server.user.sends);
        if (server.sawEnd) expect(server.length).toBe(client.user.sends);
        if (!failed(pair) && server.connection.state !== "LISTEN") {
          expect([client.sawEnd, server.sawEnd]).toEqual([true, true]);
          expect([client.connection.state, server.connection.state]).toEqual(["CLOSED", "CLOSED"]);
        }
      }),
      { numRuns: 150 },
    );
  });

  test("without loss nothing fails, however late and often segments come", () => {
    const lossless = anyPair.map((given) => ({
      ...given,
      faults: { ...given.faults, loss: 0, delayUs: [1 * MS, 80 * MS] as [number, number] },
      settings: { ...given.settings, timeWaitUs: 60_000 * MS },
    }));
    fc.assert(
      fc.property(lossless, (given) => {
        const pair = new Pair(given);
        pair.drive();
        expect(pair.ends.map(({ connection: { state, error } }) => [state, error])).toEqual([
          ["CLOSED", null],
          ["CLOSED", null],
        ]);
      }),
      { numRuns: 60 },
    );
  });

  test.each([tcp.RFC9293, tcp.LINUX])(
    "$name: a megabyte each way over a network that loses a tenth of all segments",
    (profile) => {
      const pair = new Pair({
        client: { sends: 1_000_000 },
        server: { sends: 1_000_000 },
        settings: { profile, timestamps: true, windowScale: 4, receiveBuffer: 500_000, sendBuffer: 500_000 },
        faults: { seed: 7, loss: 0.1, duplication: 0.05, delayUs: [5 * MS, 15 * MS] },
      });
      pair.drive();
      expect(isPrefix(pair.client.received) && isPrefix(pair.server.received)).toBe(true);
      expect([pair.client.length, pair.server.length]).toEqual([1_000_000, 1_000_000]);
      expect(failed(pair)).toBe(false);
    },
  );

  test("a network that loses everything is reported", () => {
    const pair = new Pair({ faults: { loss: 1 }, client: { sends: 10 } });
    pair.drive();
    expect(pair.client.connection).toMatchObject({ state: "CLOSED", error: "timeout" });
  });

  test("without faults no segment is sent twice", () => {
    const pair = new Pair({ client: { sends: 50_000 }, server: { sends: 50_000 } });
    pair.logs = true;
    pair.drive();
    const data = pair.log.map((line) => line.split(" ").slice(1).join(" ")).filter((line) => line.length > 60);
    expect(new Set(data).size).toBe(data.length);
  });
});
