/** What a search over modelled hosts costs: copies, encodings and steps a second, and the bytes of a host. `tsx bench/host.ts` */
import { copyHost, handlePacket, makeCall, pollTransmit, writeHost, type Host } from "../src/host/index.ts";
import { ByteWriter } from "../src/tcp/index.ts";
import { HostPair } from "../test/host/pair.ts";

const ROUNDS = 100_000;
const LEAST_OF = 5;

const pair = new HostPair({ numbering: { by: "count", first: 1000, step: 0 }, connection: { timestamps: false } });
const { here, there } = pair.connected();
const { nowUs } = pair;
const writer = new ByteWriter();
const draining = copyHost(pair.client);
makeCall(draining, nowUs, "client", { name: "write", fd: here, data: "abc" });
const packet = pollTransmit(draining, nowUs)!;

function encode(host: Host): number {
  writeHost(writer, host, nowUs);
  return writer.take().length;
}

/** A copy, what happens to it, all that it sends, and its bytes: what one step of a search is. */
function step(host: Host, happens: (copy: Host) => void): void {
  const copy = copyHost(host);
  happens(copy);
  while (pollTransmit(copy, nowUs));
  encode(copy);
}

/** The best of a few: what a neighbour on the machine takes is not ours. */
function perSecond(what: string, once: () => void): void {
  let leastMs = Infinity;
  for (let i = 0; i < LEAST_OF; i++) {
    const start = performance.now();
    for (let round = 0; round < ROUNDS; round++) once();
    leastMs = Math.min(leastMs, performance.now() - start);
  }
  console.log(`${what}: ${Math.round((ROUNDS / leastMs) * 1000).toLocaleString("en")} a second`);
}

perSecond("copies", () => copyHost(pair.client));
perSecond("encodings", () => encode(pair.client));
perSecond("steps: write", () =>
  step(pair.client, (copy) => makeCall(copy, nowUs, "client", { name: "write", fd: here, data: "abc" })),
);
perSecond("steps: close", () =>
  step(pair.server, (copy) => makeCall(copy, nowUs, "server", { name: "close", fd: there })),
);
perSecond("steps: a segment with data arrives", () => step(pair.server, (copy) => handlePacket(copy, nowUs, packet)));
console.log(`bytes of a host with one connection in ESTABLISHED: ${encode(pair.client)}`);
