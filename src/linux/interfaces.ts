import { AF_INET, ioctl, SIOCGIFNAME, SOCK_DGRAM, socket } from "../sys/index.ts";

/** The device's name in the calling thread's network namespace, or `ifN` where there is none of that index. */
export function interfaceName(index: number): string {
  const request = new Uint8Array(40); // struct ifreq, include/uapi/linux/if.h: name (16), then a union
  new DataView(request.buffer).setInt32(16, index, true);
  using fd = socket(AF_INET, SOCK_DGRAM, 0);
  try {
    ioctl(fd, SIOCGIFNAME, request);
  } catch {
    return `if${index}`;
  }
  return Buffer.from(request.subarray(0, request.indexOf(0))).toString("latin1");
}
