import { EPERM, Fd, NS_GET_USERNS, O_RDONLY, openat, tryIoctl } from "../sys/index.ts";
import { readText } from "./read.ts";

const CAP_NET_BIND_SERVICE = 10; // include/uapi/linux/capability.h

function hasCapability(number: number): boolean {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(readText("/proc/self/status") ?? "")?.[1] ?? "0"}`);
  return ((effective >> BigInt(number)) & 1n) === 1n;
}

/**
 * Whether capabilities hold for the calling thread's network namespace: root of a user namespace has them for what belongs
 * to that, and a container's root on the host's network for nothing of it (ioctl_ns(2): then EPERM).
 */
function ownsNetwork(): boolean {
  using namespace = openat(undefined, "/proc/thread-self/ns/net", O_RDONLY);
  const owner = tryIoctl(namespace, NS_GET_USERNS, new Uint8Array(8));
  if (owner >= 0) new Fd(owner).close();
  return owner !== -EPERM;
}

/** Whether this process may bind ports below net.ipv4.ip_unprivileged_port_start. */
export function mayBindPrivileged(): boolean {
  return hasCapability(CAP_NET_BIND_SERVICE) && ownsNetwork();
}
