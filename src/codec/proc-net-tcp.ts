/**
 * The text of /proc/net/tcp and tcp6 (net/ipv4/tcp_ipv4.c, `get_tcp4_sock`): what is left where netlink is denied. It has
 * no cookies and no attributes, and leaves out sockets that are only bound.
 */
import { decoded, undecodable, type Decoded } from "./decoded.ts";
import type { InetDiagMessage } from "./inet-diag.ts";

const AF_INET = 2;
const AF_INET6 = 10;
const USER_HZ = 100; // times are in ticks of 10 ms on every architecture

//                  sl      local address:port               remote address:port              st           tx:rx
const ROW =
  /^\s*\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]{2}) ([0-9A-F]{8}):([0-9A-F]{8}) ([0-9A-F]{2}):([0-9A-F]{8}) ([0-9A-F]{8})\s+(\d{1,10})\s+\d+ (\d{1,15})(?: |$)/;

/** Addresses are printed as 32-bit words in host order (little-endian): `0100007F` is 127.0.0.1. */
function address(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[(i & ~3) + (3 - (i & 3))] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}

/** One line of the file, its heading excluded. */
export function decodeProcNetTcpRow(line: string): Decoded<InetDiagMessage> {
  const match = ROW.exec(line);
  if (!match || match[1]!.length !== match[3]!.length)
    return undecodable("bad-text", "proc-net-tcp", 0, 12, line.length);
  const hex = (i: number) => Number.parseInt(match[i]!, 16);
  return decoded({
    family: match[1]!.length === 8 ? AF_INET : AF_INET6,
    source: address(match[1]!),
    sourcePort: hex(2),
    destination: address(match[3]!),
    destinationPort: hex(4),
    state: hex(5),
    sendQueue: hex(6),
    receiveQueue: hex(7),
    timer: hex(8),
    expiresMs: (hex(9) * 1000) / USER_HZ,
    retransmits: hex(10) & 0xff,
    uid: Number(match[11]),
    inode: Number(match[12]),
    interfaceIndex: 0,
    cookie: 0n,
    attributes: [],
  });
}

/** The whole file. */
export function decodeProcNetTcp(text: string): Decoded<InetDiagMessage[]> {
  const sockets: InetDiagMessage[] = [];
  let at = 0;
  for (const [i, line] of text.split("\n").entries()) {
    if (i > 0 && line !== "") {
      const row = decodeProcNetTcpRow(line);
      if (!row.ok) return { ok: false, error: { ...row.error, offset: at } };
      sockets.push(row.value);
    }
    at += line.length + 1;
  }
  return decoded(sockets);
}
