/** The addresses that stand for all. */
import { existsSync } from "node:fs";

export const ANY4 = new Uint8Array(4);
export const ANY6 = new Uint8Array(16);

/** What Node's listen takes where no address is given: 0.0.0.0 without IPv6 (lib/net.js, setupListenHandle). */
export const anyOfNode = (): Uint8Array => (existsSync("/proc/net/if_inet6") ? ANY6 : ANY4);
