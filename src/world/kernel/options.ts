import type { SocketOption } from "../../call/call.ts";
import * as sys from "../../sys/index.ts";

const OPTIONS: Record<SocketOption, { level: number; name: number }> = {
  SO_REUSEADDR: { level: sys.SOL_SOCKET, name: sys.SO_REUSEADDR },
  SO_REUSEPORT: { level: sys.SOL_SOCKET, name: sys.SO_REUSEPORT },
  SO_ERROR: { level: sys.SOL_SOCKET, name: sys.SO_ERROR },
  SO_LINGER: { level: sys.SOL_SOCKET, name: sys.SO_LINGER },
  SO_BINDTOIFINDEX: { level: sys.SOL_SOCKET, name: sys.SO_BINDTOIFINDEX },
  SO_RCVBUF: { level: sys.SOL_SOCKET, name: sys.SO_RCVBUF },
  SO_SNDBUF: { level: sys.SOL_SOCKET, name: sys.SO_SNDBUF },
  IPV6_V6ONLY: { level: sys.IPPROTO_IPV6, name: sys.IPV6_V6ONLY },
  IP_TTL: { level: sys.IPPROTO_IP, name: sys.IP_TTL },
  IP_BIND_ADDRESS_NO_PORT: { level: sys.IPPROTO_IP, name: sys.IP_BIND_ADDRESS_NO_PORT },
  IP_LOCAL_PORT_RANGE: { level: sys.IPPROTO_IP, name: sys.IP_LOCAL_PORT_RANGE },
  TCP_NODELAY: { level: sys.IPPROTO_TCP, name: sys.TCP_NODELAY },
  TCP_QUICKACK: { level: sys.IPPROTO_TCP, name: sys.TCP_QUICKACK },
  TCP_LINGER2: { level: sys.IPPROTO_TCP, name: sys.TCP_LINGER2 },
};

/** setsockopt(2); `-errno` if it fails. */
export function trySetOption(fd: sys.Fd, option: SocketOption, value: number): number {
  const { level, name } = OPTIONS[option];
  return sys.trySetsockopt(fd, level, name, option === "SO_LINGER" ? lingerOf(value) : value);
}

function lingerOf(seconds: number): Uint8Array {
  // close(2) would wait in this thread, which is the one that moves the segments it waits for.
  if (seconds > 0) throw new RangeError("SO_LINGER of more than 0 seconds is not supported");
  return seconds < 0 ? new Uint8Array(8) : sys.encodeLinger(0);
}

/** getsockopt(2) in the terms of {@link SocketOption}. */
export function tryGetOption(fd: sys.Fd, option: SocketOption): { value: number } | { errno: number } {
  const { level, name } = OPTIONS[option];
  const numbers = new Int32Array(2); // struct linger has two; other options have one
  const result = sys.tryGetsockopt(fd, level, name, new Uint8Array(numbers.buffer));
  if (result < 0) return { errno: -result };
  const [first, second] = numbers as unknown as [number, number];
  return { value: option === "SO_LINGER" ? (first === 0 ? -1 : second) : first };
}
