import { formatEndpoint, formatIp } from "./address.ts";
import { decoded, undecodable, type Decoded } from "./decoded.ts";

/** struct sockaddr_in and sockaddr_in6 (include/uapi/linux/in.h, in6.h). The family is in host order, the port not. */
export interface SocketAddress {
  /** 4 or 16 bytes, network order. */
  address: Uint8Array;
  port: number;
  /** sin6_scope_id, an interface index; 0 for none and for IPv4. */
  scope?: number;
}

const AF_INET = 2;
const AF_INET6 = 10;
const SIN = { family: 0, port: 2, addr: 4, length: 16 };
const SIN6 = { family: 0, port: 2, flowinfo: 4, addr: 8, scopeId: 24, length: 28 };

export function encodeSockaddr({ address, port, scope = 0 }: SocketAddress): Uint8Array {
  const v4 = address.length === 4;
  const bytes = new Uint8Array(v4 ? SIN.length : SIN6.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(SIN.family, v4 ? AF_INET : AF_INET6, true);
  view.setUint16(SIN.port, port, false);
  bytes.set(address, v4 ? SIN.addr : SIN6.addr);
  if (!v4) view.setUint32(SIN6.scopeId, scope, true);
  return bytes;
}

export function decodeSockaddr(bytes: Uint8Array): Decoded<SocketAddress> {
  if (bytes.length < 2) return undecodable("truncated", "sockaddr", 0, 2, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const family = view.getUint16(SIN.family, true);
  if (family !== AF_INET && family !== AF_INET6) return undecodable("bad-value", "sockaddr", 0, AF_INET, family);
  const need = family === AF_INET ? SIN.length : SIN6.length;
  if (bytes.length < need) return undecodable("truncated", "sockaddr", bytes.length, need, bytes.length);
  const port = view.getUint16(SIN.port, false);
  if (family === AF_INET) return decoded({ address: bytes.slice(SIN.addr, SIN.addr + 4), port, scope: 0 });
  const scope = view.getUint32(SIN6.scopeId, true);
  return decoded({ address: bytes.slice(SIN6.addr, SIN6.addr + 16), port, scope });
}

const AF_PACKET = 17;
const SLL = { family: 0, protocol: 2, ifindex: 4, length: 20 };

/** struct sockaddr_ll (include/uapi/linux/if_packet.h), to bind to frames of a protocol (an EtherType) at an interface. */
export function encodeLinkSockaddr(protocol: number, interfaceIndex: number): Uint8Array {
  const bytes = new Uint8Array(SLL.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(SLL.family, AF_PACKET, true);
  view.setUint16(SLL.protocol, protocol, false);
  view.setInt32(SLL.ifindex, interfaceIndex, true);
  return bytes;
}

/** `127.0.0.1:80`, `[::1]:80` or `[fe80::1%2]:80` of an encoded sockaddr, or `?` where it is of another family. */
export function formatSockaddr(bytes: Uint8Array): string {
  const result = decodeSockaddr(bytes);
  if (!result.ok) return "?";
  const { address, port, scope } = result.value;
  return formatEndpoint(scope ? `${formatIp(address)}%${scope}` : formatIp(address), port);
}
