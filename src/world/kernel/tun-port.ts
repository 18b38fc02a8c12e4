/** A TUN device: what the host sends can be read, and what is written it receives, packet by packet (tuntap.rst). */
import {
  Fd,
  IFF_NO_PI,
  IFF_TUN,
  ioctl,
  O_NONBLOCK,
  O_RDWR,
  openat,
  TUNSETIFF,
  tryRead,
  write,
} from "../../sys/index.ts";
import { IFREQ_UNION, interfaceRequest } from "../../linux/interface-request.ts";
import { DEVICE, MAX_PACKET, type Port } from "./port.ts";

export class TunPort implements Port {
  readonly kind = "tun";
  readonly fd: Fd;
  readonly #buffer = new Uint8Array(MAX_PACKET);

  /** Makes the device in the calling thread's network namespace. Throws `SyscallError` (ENOENT, EACCES, EPERM). */
  constructor() {
    this.fd = openat(undefined, "/dev/net/tun", O_RDWR | O_NONBLOCK);
    const request = interfaceRequest(DEVICE);
    new DataView(request.buffer).setUint16(IFREQ_UNION, IFF_TUN | IFF_NO_PI, true);
    try {
      ioctl(this.fd, TUNSETIFF, request);
    } catch (error) {
      this.fd.close();
      throw error;
    }
  }

  receive(): Uint8Array | undefined {
    const length = tryRead(this.fd, this.#buffer);
    return length > 0 ? this.#buffer.slice(0, length) : undefined; // -EAGAIN: nothing there
  }

  deliver(packet: Uint8Array): void {
    write(this.fd, packet);
  }

  close(): void {
    this.fd.close();
  }
}
