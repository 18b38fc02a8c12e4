/**
 * A veth pair, for where TUN is not to be had: one end is the host's device, the other is in the lab's namespace. What the
 * host sends is seen by a packet socket as it leaves; what it is to receive is put on at the other end.
 *
 * The kernel hands a frame over in a softirq, usually before send(2) returns; under load a kernel thread does it a little
 * later. Packet sockets of one protocol get a packet after that protocol has dealt with it, answer and all
 * (net/core/dev.c, `__netif_receive_skb_core`): one of them is the witness that is waited for.
 */
import { existsSync } from "node:fs";
import { switchOff } from "../../linux/ethtool.ts";
import type { NetworkNamespace } from "../../linux/network-namespace.ts";
import { writeParameter } from "../../linux/parameter.ts";
import { lostPackets, onlySent, packetSocket } from "../../linux/packet-socket.ts";
import { interfaceIndex } from "../../linux/interfaces.ts";
import { addVeth, linkUp } from "../../linux/rtnetlink.ts";
import {
  ETH_P_ALL,
  ETH_P_IP,
  ETH_P_IPV6,
  PACKET_QDISC_BYPASS,
  send,
  setsockopt,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_RCVTIMEO,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_PACKET,
  SOL_SOCKET,
  tryRecv,
  trySetsockopt,
  type Fd,
} from "../../sys/index.ts";
import { DEVICE, MAX_PACKET, type Port } from "./port.ts";

/** Link addresses, locally administered; the same for every pair, since each is a network of its own. */
const HOST_ADDRESS = Uint8Array.of(2, 0, 0, 0, 0, 1);
const OUR_ADDRESS = Uint8Array.of(2, 0, 0, 0, 0, 2);

/** The Ethernet header: destination (6), source (6), EtherType (2). */
const ETHERNET = { source: 6, type: 12, length: 14 };
/** No packet of a host's is too long for our end. */
const OUR_MTU = 65_535;
/** How much a host may send before it is read, bytes: what root may ask for; others get what the system allows. */
const BUFFER_LENGTH = 64 << 20;
/** So many packets find room in any case, whatever their length. */
const ALWAYS_ROOM = 4;
/** How long the kernel may take to hand a packet to the host, seconds. */
const PATIENCE_S = 10;

let made = 0;

export class VethPort implements Port {
  readonly kind = "veth";
  /** Sees what the host sends. */
  readonly fd: Fd;
  /** Puts frames on. */
  readonly #ours: Fd;
  /** Get what the host has dealt with. */
  readonly #witness: { v4: Fd; v6: Fd };
  readonly #name = `lastack${++made}`;
  readonly #open: Fd[] = [];
  /** What the host has sent, oldest first; what is still in the socket comes after it. */
  readonly #waiting: Uint8Array[] = [];
  /** The socket was empty at the last delivery: who asks next need not look again. */
  #wasEmpty = false;
  /** How many packets were in the socket since it was last empty. */
  #inARow = 0;
  readonly #buffer = new Uint8Array(MAX_PACKET);
  readonly #taken = new Uint8Array(1); // of each packet that is witnessed
  readonly #frame = new Uint8Array(ETHERNET.length + MAX_PACKET);

  /** Makes the pair: ours in the calling thread's network namespace. Throws `NetlinkError` and `SyscallError`. */
  constructor(namespace: NetworkNamespace) {
    addVeth({ name: this.#name, address: OUR_ADDRESS }, { name: DEVICE, address: HOST_ADDRESS }, namespace);
    try {
      this.#ours = this.#setUpOurs();
      [this.fd, this.#witness] = namespace.run(() => this.#watch());
    } catch (error) {
      this.close();
      throw error;
    }
    this.#frame.set(HOST_ADDRESS);
    this.#frame.set(OUR_ADDRESS, ETHERNET.source);
  }

  #keep(fd: Fd): Fd {
    this.#open.push(fd);
    return fd;
  }

  #setUpOurs(): Fd {
    // Nothing of our own stack's on the wire: it has no address there, and must not look for one.
    const parameter = `net.ipv6.conf.${this.#name}.disable_ipv6`;
    if (existsSync(`/proc/sys/net/ipv6/conf/${this.#name}`)) writeParameter(parameter, 1);
    switchOff(this.#name, ["gro"]);
    linkUp(this.#name, { mtu: OUR_MTU });
    // Past the queue, which the kernel attaches some time after the link has come up.
    const prepare = (fd: Fd) => setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, 1);
    return this.#keep(packetSocket(interfaceIndex(this.#name), { type: SOCK_RAW, protocol: 0, prepare }));
  }

  /** In the host's namespace. */
  #watch(): [Fd, { v4: Fd; v6: Fd }] {
    // Every packet is to be as it would be on a real wire: no longer than the MTU, its checksum right.
    switchOff(DEVICE, ["tx-checksum", "tso", "gso", "gro"]);
    const index = interfaceIndex(DEVICE);
    const sent = packetSocket(index, {
      type: SOCK_DGRAM | SOCK_NONBLOCK,
      protocol: ETH_P_ALL,
      prepare: (fd) => {
        onlySent(fd);
        if (trySetsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_LENGTH) < 0) {
          setsockopt(fd, SOL_SOCKET, SO_RCVBUF, BUFFER_LENGTH);
        }
      },
    });
    this.#keep(sent);
    const timeout = new Uint8Array(BigInt64Array.of(BigInt(PATIENCE_S), 0n).buffer); // struct timeval
    const witness = (protocol: number) => {
      const prepare = (fd: Fd) => setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeout);
      return this.#keep(packetSocket(index, { type: SOCK_DGRAM, protocol, prepare }));
    };
    return [sent, { v4: witness(ETH_P_IP), v6: witness(ETH_P_IPV6) }];
  }

  #read(): Uint8Array | undefined {
    const length = tryRecv(this.fd, this.#buffer);
    if (length > 0) {
      this.#inARow++;
      return this.#buffer.slice(0, length);
    }
    // -EAGAIN: nothing there. A wire that loses packets without saying so would tell a wrong story.
    const lost = this.#inARow > ALWAYS_ROOM ? lostPackets(this.fd) : 0;
    this.#inARow = 0;
    if (lost > 0) throw new Error(`${lost} packets found no room on the wire: net.core.rmem_max is too small for them`);
    return undefined;
  }

  receive(): Uint8Array | undefined {
    const waiting = this.#waiting.shift();
    if (waiting) return waiting;
    const wasEmpty = this.#wasEmpty;
    this.#wasEmpty = false;
    return wasEmpty ? undefined : this.#read();
  }

  deliver(packet: Uint8Array): void {
    const v6 = packet[0]! >> 4 === 6;
    new DataView(this.#frame.buffer).setUint16(ETHERNET.type, v6 ? ETH_P_IPV6 : ETH_P_IP);
    this.#frame.set(packet, ETHERNET.length);
    send(this.#ours, this.#frame.subarray(0, ETHERNET.length + packet.length));
    const result = tryRecv(v6 ? this.#witness.v6 : this.#witness.v4, this.#taken);
    if (result < 0) throw new Error(`the host has not taken a packet of ${packet.length} bytes in ${PATIENCE_S} s`);
    // The socket has room for the answers to one packet, not for those to all that a long transfer has under way.
    for (let answer; (answer = this.#read());) this.#waiting.push(answer);
    this.#wasEmpty = true;
  }

  /** The pair goes with the host's namespace. */
  close(): void {
    for (const fd of this.#open) fd.close();
  }
}
