/** Packet sockets, packet(7): they send and receive at an interface, past the protocols of the host. */
import { encodeLinkSockaddr } from "../codec/sockaddr.ts";
import {
  AF_PACKET,
  attachFilter,
  bind,
  getsockopt,
  getsockoptBytes,
  PACKET_STATISTICS,
  SO_ERROR,
  socket,
  SOL_PACKET,
  SOL_SOCKET,
  type Fd,
} from "../sys/index.ts";

export interface PacketSocketOptions {
  /** SOCK_RAW: with the link's header; SOCK_DGRAM: without. SOCK_NONBLOCK may be added. */
  type: number;
  /** The EtherType to receive, ETH_P_ALL for all and for what is sent; 0: nothing is received. */
  protocol: number;
  /** Sets options before anything can arrive. */
  prepare?: (fd: Fd) => void;
}

/** A packet socket at an interface of the calling thread's namespace, which may be down yet. Throws `SyscallError`. */
export function packetSocket(interfaceIndex: number, { type, protocol, prepare }: PacketSocketOptions): Fd {
  const fd = socket(AF_PACKET, type, 0);
  try {
    prepare?.(fd);
    bind(fd, encodeLinkSockaddr(protocol, interfaceIndex));
    getsockopt(fd, SOL_SOCKET, SO_ERROR); // clears the ENETDOWN of an interface that is not up yet
    return fd;
  } catch (error) {
    fd.close();
    throw error;
  }
}

/** A filter, instruction by instruction (struct sock_filter: code, jumps, operand), for {@link attachFilter}. */
const SENT_ONLY = new Uint8Array(
  BigUint64Array.of(
    0xffff_f004_0000_0028n, // load the packet's type (SKF_AD_PKTTYPE)
    0x0000_0004_0100_0015n, // PACKET_OUTGOING? else skip the next
    0xffff_ffff_0000_0006n, // take all of it
    0x0000_0000_0000_0006n, // take nothing
  ).buffer,
);

/** For {@link PacketSocketOptions.prepare}: what the host receives passes unseen. */
export function onlySent(fd: Fd): void {
  attachFilter(fd, SENT_ONLY);
}

const TPACKET_STATS_LENGTH = 8; // struct tpacket_stats: packets, drops

/** How many packets found no room in the socket's buffer since this was last asked. */
export function lostPackets(fd: Fd): number {
  const bytes = getsockoptBytes(fd, SOL_PACKET, PACKET_STATISTICS, TPACKET_STATS_LENGTH);
  return new DataView(bytes.buffer).getUint32(4, true);
}
