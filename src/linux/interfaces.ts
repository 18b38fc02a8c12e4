import { AF_INET, ioctl, SIOCGIFNAME, SOCK_DGRAM, socket } from "../sys/index.ts";
import { IFREQ_UNION, interfaceRequest } from "./interface-request.ts";

/** The device's name in the calling thread's network namespace, or `ifN` where there is none of that index. */
export function interfaceName(index: number): string {
  const request = interfaceRequest("");
  new DataView(request.buffer).setInt32(IFREQ_UNION, index, true);
  using fd = socket(AF_INET, SOCK_DGRAM, 0);
  try {
    ioctl(fd, SIOCGIFNAME, request);
  } catch {
    return `if${index}`;
  }
  return Buffer.from(request.subarray(0, request.indexOf(0))).toString("latin1");
}
