/** What a network device does in the kernel's stead (include/uapi/linux/ethtool.h). */
import { addressOf, AF_INET, ioctl, SIOCETHTOOL, SOCK_DGRAM, socket } from "../sys/index.ts";
import { IFREQ_UNION, interfaceRequest } from "./interface-request.ts";

/** The commands that switch each on or off. */
const SET = {
  /** Checksums of what is sent. */
  "tx-checksum": 0x17,
  /** Cutting data into segments: by the device, and by the kernel just before the device. */
  tso: 0x1f,
  gso: 0x24,
  /** Joining segments that arrive. */
  gro: 0x2c,
} as const;

export type Offload = keyof typeof SET;

/** Switches these off for an interface of the calling thread's namespace. */
export function switchOff(name: string, offloads: readonly Offload[]): void {
  using fd = socket(AF_INET, SOCK_DGRAM, 0);
  for (const offload of offloads) {
    const value = new Uint8Array(Uint32Array.of(SET[offload], 0).buffer); // struct ethtool_value
    const request = interfaceRequest(name);
    new DataView(request.buffer).setBigUint64(IFREQ_UNION, addressOf(value), true);
    ioctl(fd, SIOCETHTOOL, request);
  }
}
