/**
 * A TCP peer that does only what the test says: 10.9.0.2, behind a TUN device of the calling thread's namespace. With it
 * the kernel's sockets can be left in any state. The kernel handles what is written before the write returns.
 */
import { parseIp } from "../../src/codec/address.ts";
import { decodePacket } from "../../src/codec/packet.ts";
import { seq } from "../../src/codec/seq.ts";
import { ACK, FIN, SYN, type TcpSegment } from "../../src/codec/tcp.ts";
import { addAddress, linkUp } from "../../src/linux/rtnetlink.ts";
import { DEVICE } from "../../src/world/kernel/port.ts";
import { TunPort } from "../../src/world/kernel/tun-port.ts";
import { ipv4Packet } from "./packets.ts";

const KERNEL = "10.9.0.1";
const PEER = "10.9.0.2";
const WINDOW = 65_535;

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
    this.peer.write({
      sourcePort: this.port,
      destinationPort: this.kernelPort,
      seq: seq(this.seq),
      ack: seq(this.ack),
      flags,
      window: WINDOW,
      urgent: 0,
      options: [],
      payload: Buffer.from(data),
    });
    this.seq += data.length + (flags & (SYN | FIN) ? 1 : 0);
  }
}

export class TunPeer {
  readonly address = PEER;
  readonly kernelAddress = KERNEL;
  readonly #tun = new TunPort();
  #port = 20_000;

  constructor() {
    linkUp(DEVICE, { mtu: 1500 });
    addAddress(DEVICE, parseIp(KERNEL)!, 24);
  }

  write(segment: TcpSegment): void {
    this.#tun.deliver(ipv4Packet(PEER, KERNEL, segment));
  }

  /** The next segment with these flags that the kernel has sent between these ports; all before it are dropped. */
  read(flags: number, kernelPort: number, port?: number): TcpSegment {
    for (let bytes; (bytes = this.#tun.receive());) {
      const packet = decodePacket(bytes);
      if (!packet.ok) continue; // IPv6's router solicitations
      const segment = packet.value.tcp;
      if (segment.flags !== flags || segment.sourcePort !== kernelPort) continue;
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
