import type { Fd } from "../../sys/index.ts";

/** Where a host is joined to the wire. */
export interface Port {
  readonly kind: LinkKind;
  /** Becomes readable when the host sends something of its own accord, after all that `receive` gave. */
  readonly fd: Fd;
  /** The next IP packet that the host has sent, in a buffer that is the caller's; undefined if there is none now. */
  receive(): Uint8Array | undefined;
  /** Hands a packet to the host, which has dealt with it when this returns. */
  deliver(packet: Uint8Array): void;
  close(): void;
}

export type LinkKind = "tun" | "veth";

/** The name of a host's device. */
export const DEVICE = "wire0";
/** No packet is longer than this, bytes. */
export const MAX_PACKET = 65_536;
