/**
 * Round trips of one byte between two sockets in two namespaces, over the lab's wire and over a plain veth pair in turn:
 * `round-trips LINK BATCHES COUNT` prints what each batch took, as JSON.
 */
import { parseIp } from "../../src/codec/address.ts";
import { encodeSockaddr } from "../../src/codec/sockaddr.ts";
import { NetworkNamespace } from "../../src/linux/network-namespace.ts";
import { addAddress, addVeth, linkUp } from "../../src/linux/rtnetlink.ts";
import {
  accept,
  AF_INET,
  bind,
  connect,
  Fd,
  listen,
  MSG_DONTWAIT,
  recv,
  send,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  socket,
  tryConnect,
} from "../../src/sys/index.ts";
import type { LinkKind } from "../../src/world/kernel/port.ts";
import { KernelWorld } from "../../src/world/kernel/kernel-world.ts";

const PORT = 8000;
const WARM_UP = 500;

/** What a packet took on either way, microseconds. */
export interface Batch {
  wireUs: number;
  pairUs: number;
}

interface Connection {
  /** Makes so many round trips; what they took, milliseconds. */
  time(roundTrips: number): number;
  /** How many packets have gone over it, where it knows. */
  packets?(): number;
  close(): void;
}

function listener(address: string): Fd {
  const fd = socket(AF_INET, SOCK_STREAM, 0);
  bind(fd, encodeSockaddr({ address: parseIp(address)!, port: PORT }));
  listen(fd, 1);
  return fd;
}

/** With `deliver`, which does what it takes, a byte that was sent has arrived; without, it is waited for. */
function timeRoundTrips(ends: readonly [Fd, Fd], roundTrips: number, deliver?: () => void): number {
  const flags = deliver ? MSG_DONTWAIT : 0;
  const byte = new Uint8Array(1);
  const [client, server] = ends;
  const start = performance.now();
  for (let i = 0; i < roundTrips; i++) {
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      send(from, byte);
      deliver?.();
      recv(to, byte, flags);
    }
  }
  return performance.now() - start;
}

/** Two hosts of the lab, joined by its wire. */
function overWire(link: LinkKind): Connection {
  const namespaces: NetworkNamespace[] = [];
  const create = NetworkNamespace.create.bind(NetworkNamespace);
  NetworkNamespace.create = () => {
    const namespace = create();
    namespaces.push(namespace);
    return namespace;
  };
  const world = new KernelWorld({ childScript: "", link });
  world.addHost({ name: "client" });
  const [address] = world.addHost({ name: "server" });
  NetworkNamespace.create = create;
  const [client, server] = namespaces as [NetworkNamespace, NetworkNamespace];
  using listening = server.run(() => listener(address!));
  const asking = client.run(() => socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
  tryConnect(asking, encodeSockaddr({ address: parseIp(address!)!, port: PORT }));
  world.settle();
  const { fd: answering } = accept(listening);
  let looked = 0;
  let packets = 0;
  return {
    time: (roundTrips) => timeRoundTrips([asking, answering], roundTrips, () => world.settle()),
    packets() {
      const { events } = world.recorder;
      for (; looked < events.length; looked++) {
        const event = events[looked]!;
        if (event.kind === "segment" && event.fate === "sent") packets++;
      }
      return packets;
    },
    close() {
      asking.close();
      answering.close();
      world.close();
    },
  };
}

/** Two namespaces with a veth pair between them, and nothing else. */
function overPair(): Connection {
  const [client, server] = [NetworkNamespace.create(), NetworkNamespace.create()];
  const end = (last: number) => ({ name: "pair0", address: Uint8Array.of(2, 0, 0, 0, 1, last) });
  client.run(() => addVeth(end(1), end(2), server));
  for (const [i, namespace] of [client, server].entries()) {
    namespace.run(() => {
      linkUp("pair0", { mtu: 1500 });
      addAddress("pair0", Uint8Array.of(10, 9, 1, i + 1), 24);
    });
  }
  using listening = server.run(() => listener("10.9.1.2"));
  const asking = client.run(() => socket(AF_INET, SOCK_STREAM, 0));
  connect(asking, encodeSockaddr({ address: Uint8Array.of(10, 9, 1, 2), port: PORT }));
  const { fd: answering } = accept(listening);
  return {
    time: (roundTrips) => timeRoundTrips([asking, answering], roundTrips),
    close() {
      for (const held of [asking, answering, client, server]) held.close();
    },
  };
}

const [link, batches, count] = [process.argv[2] as LinkKind, Number(process.argv[3]), Number(process.argv[4])];
const wire = overWire(link);
const pair = overPair();
/** A batch, microseconds per packet. Each byte carries the ACK of the one before: there are two packets to a round trip. */
const perPacketUs = (connection: Connection) => {
  const before = connection.packets?.() ?? 0;
  const ms = connection.time(count);
  const packets = connection.packets ? connection.packets() - before : 2 * count;
  return (1000 * ms) / packets;
};
for (const connection of [wire, pair]) connection.time(WARM_UP); // does not count: the code is cold
const result: Batch[] = [];
for (let i = 0; i < batches; i++) {
  const batch: Batch = { wireUs: 0, pairUs: 0 };
  const measure = [() => (batch.wireUs = perPacketUs(wire)), () => (batch.pairUs = perPacketUs(pair))];
  if (i % 2 === 1) measure.reverse();
  for (const one of measure) one();
  result.push(batch);
}
wire.close();
pair.close();
process.stdout.write(JSON.stringify(result));
