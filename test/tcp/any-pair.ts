import fc from "fast-check";
import * as tcp from "../../src/tcp/index.ts";
import type { PairOptions } from "./pair.ts";
import { MS } from "./socket.ts";

const user = fc.record({
  sends: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 60_000 })),
  halfCloses: fc.boolean(),
  readsAtMost: fc.constantFrom(1, 700, 1 << 20),
});

const settings = fc.record({
  profile: fc.constantFrom(tcp.RFC9293, tcp.LINUX),
  mss: fc.constantFrom(100, 536, 1460),
  receiveBuffer: fc.constantFrom(200, 3000, 65_535, 300_000),
  sendBuffer: fc.constantFrom(1, 5000, 100_000),
  windowScale: fc.constantFrom(null, 0, 7),
  timestamps: fc.boolean(),
  noDelay: fc.boolean(),
  timeWaitUs: fc.constantFrom(0, 60_000 * MS),
});

const faults = fc.record({
  seed: fc.integer(),
  loss: fc.constantFrom(0, 0.02, 0.2),
  duplication: fc.constantFrom(0, 0.1, 0.5),
  delayUs: fc.constantFrom<[number, number]>([0, 0], [5 * MS, 5 * MS], [1 * MS, 80 * MS], [0, 2000 * MS]),
});

/** Two users, their settings, and a network, each in any of the ways that matter. */
export const anyPair: fc.Arbitrary<PairOptions> = fc
  .record({ client: user, server: user, settings, faults, simultaneous: fc.boolean() })
  .filter(({ client, server }) => client.halfCloses || server.halfCloses)
  // Small segments of much data through small buffers only take long.
  .map((given) => (given.settings.sendBuffer === 1 ? { ...given, client: { ...given.client, sends: 5 } } : given))
  .map((given) => (given.settings.sendBuffer === 1 ? { ...given, server: { ...given.server, sends: 7 } } : given));
