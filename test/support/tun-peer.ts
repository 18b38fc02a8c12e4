/**
 * A TCP peer that does only what the test says: 10.9.0.2, behind a TUN device of the calling thread's namespace. With it
 * the kernel's sockets can be left in any state. The kernel handles what is written before the write returns.
 */
import { bringUp } from "../../src/linux/namespace.ts";
import {
  AF_INET,
  IFF_NO_PI,
  IFF_TUN,
  ioctl,
  O_NONBLOCK,
  O_RDWR,
  openat,
  SIOCSIFADDR,
  SIOCSIFNETMASK,
  SOCK_DGRAM,
  socket,
  TUNSETIFF,
  tryRead,
  write,
} from "../../src/sys/index.ts";
import { sockaddr } from "./tcp.ts";

export const FIN = 0x01;
export const SYN = 0x02;
export const ACK = 0x10;

const KERNEL = "10.9.0.1";
const PEER = "10.9.0.2";
const DEVICE = "lastack0";
const HEADERS = 40; // IPv4 and TCP, both without options
const WINDOW = 65_535;

export interface Segment {
  sourcePort: number;
  destinationPort: number;
  seq: number;
  ack: number;
  flags: number;
  data: Uint8Array;
}

/** RFC 1071. */
function checksum(bytes: Uint8Array, initial = 0): number {
  let sum = initial;
  for (const [i, byte] of bytes.entries()) sum += i % 2 === 0 ? byte << 8 : byte;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function encodeSegment(segment: Segment): Uint8Array {
  const packet = Buffer.alloc(HEADERS + segment.data.length);
  packet.set([0x45, 0, packet.length >> 8, packet.length & 0xff]);
  packet.set([64, 6], 8); // time to live, TCP
  packet.set(PEER.split(".").map(Number), 12);
  packet.set(KERNEL.split(".").map(Number), 16);
  packet.writeUInt16BE(checksum(packet.subarray(0, 20)), 10);
  packet.writeUInt16BE(segment.sourcePort, 20);
  packet.writeUInt16BE(segment.destinationPort, 22);
  packet.writeUInt32BE(segment.seq, 24);
  packet.writeUInt32BE(segment.ack >>> 0, 28);
  packet.set([5 << 4, segment.flags], 32);
  packet.writeUInt16BE(WINDOW, 34);
  packet.set(segment.data, HEADERS);
  // The pseudo header: both addresses, the protocol, the length.
  const pseudo = ~checksum(packet.subarray(12, 20), 6 + packet.length - 20) & 0xffff;
  packet.writeUInt16BE(checksum(packet.subarray(20), pseudo), 36);
  return packet;
}

/** The TCP segment of an IPv4 packet; undefined for anything else (IPv6's router solicitations). */
function decodeSegment(packet: Buffer): Segment | undefined {
  if (packet[0]! >> 4 !== 4 || packet[9] !== 6) return undefined;
  const tcp = packet.subarray(4 * (packet[0]! & 0xf), packet.readUInt16BE(2));
  return {
    sourcePort: tcp.readUInt16BE(0),
    destinationPort: tcp.readUInt16BE(2),
    seq: tcp.readUInt32BE(4),
    ack: tcp.readUInt32BE(8),
    flags: tcp[13]!,
    data: tcp.subarray(4 * (tcp[12]! >> 4)),
  };
}

/** The peer's end of a connection. It answers nothing by itself. */
class PeerConnection {
  seq = 1000;

  /** `ack` is the next number to acknowledge: raise it to acknowledge what the kernel has sent. */
  constructor(
    private readonly peer: TunPeer,
    readonly port: number,
    readonly kernelPort: number,
    public ack: number,
  ) {}

  send(flags: number, data = ""): void {
    const { port: sourcePort, kernelPort: destinationPort, seq, ack } = this;
    this.peer.write({ sourcePort, destinationPort, seq, ack, flags, data: Buffer.from(data) });
    this.seq += data.length + (flags & (SYN | FIN) ? 1 : 0);
  }
}

export class TunPeer {
  readonly address = PEER;
  readonly kernelAddress = KERNEL;
  readonly #tun = openat(undefined, "/dev/net/tun", O_RDWR | O_NONBLOCK);
  #port = 20_000;

  constructor() {
    const request = Buffer.alloc(40); // struct ifreq, include/uapi/linux/if.h: name (16), then a union
    request.write(DEVICE, "latin1");
    request.writeUInt16LE(IFF_TUN | IFF_NO_PI, 16);
    ioctl(this.#tun, TUNSETIFF, request);
    using fd = socket(AF_INET, SOCK_DGRAM, 0);
    for (const [call, ip] of [[SIOCSIFADDR, KERNEL] as const, [SIOCSIFNETMASK, "255.255.255.0"] as const]) {
      request.set(sockaddr(ip), 16);
      ioctl(fd, call, request);
    }
    bringUp(DEVICE);
  }

  write(segment: Segment): void {
    write(this.#tun, encodeSegment(segment));
  }

  /** The next segment with these flags that the kernel has sent between these ports; all before it are dropped. */
  read(flags: number, kernelPort: number, port?: number): Segment {
    const packet = Buffer.alloc(65_536);
    for (let length: number; (length = tryRead(this.#tun, packet)) > 0;) {
      const segment = decodeSegment(packet.subarray(0, length));
      if (segment?.flags !== flags || segment.sourcePort !== kernelPort) continue;
      if (port === undefined || segment.destinationPort === port) return segment;
    }
    throw new Error(`the kernel has sent no segment with flags ${flags} from port ${kernelPort}`);
  }

  /** Sends a SYN to the kernel's listener, and no more. */
  knock(kernelPort: number): PeerConnection {
    const connection = new PeerConnection(this, this.#port++, kernelPort, 0);
    connection.send(SYN);
    return connection;
  }

  /** A connection to the kernel's listener: three segments. */
  connect(kernelPort: number): PeerConnection {
    const connection = this.knock(kernelPort);
    connection.ack = this.read(SYN | ACK, kernelPort, connection.port).seq + 1;
    connection.send(ACK);
    return connection;
  }

  /** Takes the connection that the kernel's socket at this port has begun. */
  accept(kernelPort: number): PeerConnection {
    const syn = this.read(SYN, kernelPort);
    const connection = new PeerConnection(this, syn.destinationPort, kernelPort, syn.seq + 1);
    connection.send(SYN | ACK);
    return connection;
  }

  close(): void {
    this.#tun.close();
  }
}
