/** What the wire asks of a host's port, of either kind: all that a packet brings about has come about when it is handed over. */
import { cpus } from "node:os";
import { existsSync } from "node:fs";
import { afterEach, describe, expect } from "vitest";
import { parseIp } from "../../src/codec/address.ts";
import { decodePacket, encodePacket, hasGoodChecksum, type Packet } from "../../src/codec/packet.ts";
import { seq, seqAdd } from "../../src/codec/seq.ts";
import { ACK, RST, SYN } from "../../src/codec/tcp.ts";
import type { NetworkNamespace } from "../../src/linux/network-namespace.ts";
import { writeParameter } from "../../src/linux/parameter.ts";
import { AF_INET, connect, send, setsockopt, SO_RCVBUF, SOCK_DGRAM, socket, SOL_SOCKET } from "../../src/sys/index.ts";
import { KernelHost } from "../../src/world/kernel/host.ts";
import type { LinkKind, Port } from "../../src/world/kernel/port.ts";
import { makePort } from "../../src/world/kernel/ports.ts";
import { lacking, testNeeding, type NeedName } from "../support/needs.ts";
import { enterNamespace, sockaddr } from "../support/tcp.ts";

const NEEDS: Record<LinkKind, NeedName[]> = {
  tun: ["a network namespace", "/dev/net/tun"],
  veth: ["a network namespace"],
};
const ADDRESSES = { IPv4: ["10.9.0.1", "10.9.0.2"], IPv6: ["fd09::1", "fd09::2"] } as const;
const CLOSED_PORT = 9;

const hosts: KernelHost[] = [];
afterEach(() => {
  for (const host of hosts.splice(0)) host.close();
});

function host(make: (namespace: NetworkNamespace) => Port, mtu = 1500): KernelHost {
  enterNamespace();
  const made = new KernelHost("host", [ADDRESSES.IPv4[0], ADDRESSES.IPv6[0]], mtu, make, {});
  hosts.push(made);
  return made;
}

/** A segment of a peer's to the host, for a port where nothing listens: the kernel answers a SYN with a RST. */
function knock(family: keyof typeof ADDRESSES, number: number, { flags = SYN, length = 0 } = {}): Uint8Array {
  const [destination, source] = ADDRESSES[family].map((address) => parseIp(address)!) as [Uint8Array, Uint8Array];
  const ip: Packet["ip"] =
    family === "IPv4"
      ? { version: 4, tos: 0, id: 0, fragment: 0, ttl: 64, protocol: 6, source, destination, options: new Uint8Array() }
      : { version: 6, trafficClass: 0, flowLabel: 0, nextHeader: 6, hopLimit: 64, source, destination };
  const ports = { sourcePort: 1024 + (number % 60_000), destinationPort: CLOSED_PORT };
  const payload = new Uint8Array(length).fill(0x61);
  const tcp = { ...ports, seq: seq(number), ack: seq(0), flags, window: 0, urgent: 0, options: [], payload };
  return encodePacket({ ip, tcp });
}

/** What the host has sent up to now; what is not TCP (IPv6 tells of its groups) is left out. */
function sentBy({ port }: KernelHost): { bytes: Uint8Array; packet: Packet }[] {
  const sent = [];
  for (let bytes; (bytes = port.receive());) {
    const packet = decodePacket(bytes);
    if (packet.ok) sent.push({ bytes, packet: packet.value });
  }
  return sent;
}

/** Knocks and looks for the answer, without waiting. */
function expectAnswers(to: KernelHost, family: keyof typeof ADDRESSES, count: number): void {
  for (let number = 0; number < count; number++) {
    to.port.deliver(knock(family, number));
    const sent = sentBy(to);
    expect(sent, `answers to packet ${number}`).toHaveLength(1);
    const [{ bytes, packet }] = sent as [(typeof sent)[0]];
    expect(packet.tcp).toMatchObject({ flags: RST | ACK, ack: seqAdd(seq(number), 1) });
    expect(hasGoodChecksum(bytes)).toBe(true);
  }
}

describe.each(["tun", "veth"] as const)("%s", (kind) => {
  describe.each(["IPv4", "IPv6"] as const)("%s", (family) => {
    testNeeding(NEEDS[kind], "the host's answer is there as soon as the packet is delivered, a thousand times", () => {
      expectAnswers(
        host((namespace) => makePort(kind, namespace)),
        family,
        1000,
      );
    });
  });

  testNeeding(NEEDS[kind], "a packet as long as a large MTU allows arrives", () => {
    const large = host((namespace) => makePort(kind, namespace), 60_000);
    large.port.deliver(knock("IPv4", 1, { length: 60_000 - 40 }));
    expect(sentBy(large).map(({ packet }) => packet.tcp.ack)).toEqual([1 + 1 + 60_000 - 40]);
  });

  testNeeding(NEEDS[kind], "what the host is given does not come back to the wire", () => {
    const { port } = host((namespace) => makePort(kind, namespace));
    while (port.receive());
    const reset = knock("IPv4", 1, { flags: RST });
    port.deliver(reset); // which nobody answers
    expect(port.receive()).toBeUndefined();
  });

  testNeeding(NEEDS[kind], "thousands of packets wait until the wire takes them, in their order", () => {
    const busy = host((namespace) => makePort(kind, namespace));
    for (let number = 0; number < 3000; number++) busy.port.deliver(knock("IPv4", number));
    expect(sentBy(busy).map(({ packet }) => packet.tcp.ack)).toEqual(Array.from({ length: 3000 }, (_, i) => i + 1));
  });

  testNeeding(NEEDS[kind], "its kind is that which was asked for", () => {
    expect(host((namespace) => makePort(kind, namespace)).port.kind).toBe(kind);
  });
});

testNeeding(NEEDS.veth, "veth: where packets find no room, the wire says so", () => {
  const small = host((namespace) => makePort("veth", namespace));
  setsockopt(small.port.fd, SOL_SOCKET, SO_RCVBUF, 10_000);
  using sender = small.namespace.run(() => socket(AF_INET, SOCK_DGRAM, 0));
  connect(sender, sockaddr(ADDRESSES.IPv4[1], 9));
  for (let number = 0; number < 100; number++) send(sender, new Uint8Array(1000));
  expect(() => sentBy(small)).toThrow(
    /^\d+ packets found no room on the wire: net\.core\.rmem_max is too small for them$/,
  );
});

testNeeding(NEEDS.veth, "veth: the answer is there also where another processor deals with the packet", (context) => {
  if (cpus().length < 2) lacking(context, "two processors");
  if (!existsSync("/proc/sys/net/core/rps_default_mask")) lacking(context, "a kernel that steers packets (RPS, 6.1)");
  // Whichever processor this thread is on, one of these hosts has its packets dealt with by the other.
  for (const mask of ["1", "2"]) {
    const steered = host((namespace) => {
      namespace.run(() => writeParameter("net.core.rps_default_mask", mask));
      return makePort("veth", namespace);
    });
    expectAnswers(steered, "IPv4", 500);
    expectAnswers(steered, "IPv6", 500);
  }
});
