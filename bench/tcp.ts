/** What a search over connections costs: copies, encodings and segments a second, and the bytes of a state. */
import { seq } from "../src/codec/seq.ts";
import * as tcp from "../src/tcp/index.ts";

const ROUNDS = 300_000;

function established(): [tcp.Connection, tcp.Connection] {
  const client = tcp.connect(tcp.settingsOf({ localPort: 1, remotePort: 2, profile: tcp.LINUX }), seq(100));
  const server = tcp.listen(tcp.settingsOf({ localPort: 2, remotePort: 0, profile: tcp.LINUX }), seq(200));
  for (let i = 0; i < 4; i++) {
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      for (let segment; (segment = tcp.pollTransmit(from, 0));) tcp.handleSegment(to, 0, segment);
    }
  }
  tcp.send(client, new Uint8Array(3));
  return [client, server];
}

function perSecond(what: string, once: () => void): void {
  for (let i = 0; i < ROUNDS / 10; i++) once();
  const start = performance.now();
  for (let i = 0; i < ROUNDS; i++) once();
  console.log(`${what}: ${Math.round((ROUNDS / (performance.now() - start)) * 1000).toLocaleString("en")} a second`);
}

const [client, server] = established();
const writer = new tcp.ByteWriter();
const segment = tcp.pollTransmit(tcp.copyConnection(client), 0)!;
perSecond("copies", () => tcp.copyConnection(client));
perSecond("encodings", () => tcp.encodeConnection(client, 0));
perSecond("encodings of a pair into one writer", () => {
  tcp.writeConnection(writer, client, 0);
  tcp.writeConnection(writer, server, 0);
  writer.take();
});
perSecond("successors (copy, segment with data, answer, encoding)", () => {
  const copy = tcp.copyConnection(server);
  tcp.handleSegment(copy, 0, segment);
  while (tcp.pollTransmit(copy, 0));
  tcp.encodeConnection(copy, 0);
});
console.log(`bytes of a connection in ESTABLISHED with 3 bytes to send: ${tcp.encodeConnection(client, 0).length}`);
