/** A host of the kernel world: a network namespace with one device on the wire. */
import { existsSync } from "node:fs";
import { parseIp } from "../../codec/address.ts";
import { ALL_STATES_MASK, stateMask } from "../../codec/state.ts";
import { Unavailable } from "../../lab/world.ts";
import { readCounter } from "../../linux/counters.ts";
import { NetlinkError } from "../../linux/netlink-error.ts";
import { NetworkNamespace } from "../../linux/network-namespace.ts";
import { readParameter, writeParameter } from "../../linux/parameter.ts";
import { addAddress, linkUp } from "../../linux/rtnetlink.ts";
import { SockDiag } from "../../linux/sock-diag.ts";
import { decodeRows } from "../../linux/socket-table.ts";
import { DEVICE, type Port } from "./port.ts";

/** The networks that the hosts share: RFC 1918 and RFC 4193 addresses that exist nowhere but in the lab. */
const PREFIX = { v4: 24, v6: 64 };

/** What keeps IPv6 from sending packets of its own accord, and from addresses that nobody gave it. */
const QUIET = { accept_ra: 0, router_solicitations: 0, addr_gen_mode: 1 };

/** How many packets a TUN device keeps until the wire takes them; what finds no room is lost, and nobody says so. */
const QUEUE_LENGTH = 10_000;

/** Sockets that may go on after their processes, and keep the namespace: 2 minutes where nobody answers a FIN. */
const LINGERING = ALL_STATES_MASK & ~stateMask("LISTEN") & ~stateMask("TIME-WAIT") & ~stateMask("BOUND");

export class KernelHost {
  readonly namespace: NetworkNamespace;
  readonly port: Port;
  readonly diag: SockDiag;
  /** The event that last made this host do something; undefined: time did, if it does. */
  touchedBy: number | undefined;

  constructor(
    readonly name: string,
    readonly addresses: readonly string[],
    mtu: number,
    makePort: (namespace: NetworkNamespace) => Port,
    parameters: Readonly<Record<string, string>>,
  ) {
    this.namespace = NetworkNamespace.create();
    try {
      this.port = makePort(this.namespace);
    } catch (error) {
      this.namespace.close();
      throw error;
    }
    this.diag = this.namespace.run(() => {
      for (const [parameter, value] of Object.entries(parameters)) writeParameter(parameter, value);
      for (const [parameter, value] of Object.entries(QUIET)) {
        const name = `net.ipv6.conf.${DEVICE}.${parameter}`;
        if (existsSync(`/proc/sys/${name.replaceAll(".", "/")}`)) writeParameter(name, value);
      }
      linkUp(DEVICE, { mtu, noArp: true, queueLength: QUEUE_LENGTH });
      for (const address of addresses) {
        const bytes = parseIp(address)!;
        addAddress(DEVICE, bytes, bytes.length === 4 ? PREFIX.v4 : PREFIX.v6);
      }
      return new SockDiag();
    });
  }

  /** Throws {@link Unavailable} where this kernel has no such parameter, or /proc/sys may only be read. */
  set(parameter: string, value: string | number): void {
    try {
      this.namespace.run(() => writeParameter(parameter, value));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") throw new Unavailable(`a kernel with ${parameter}`);
      if (code === "EROFS" || code === "EACCES") throw new Unavailable(`leave to set ${parameter} (${code})`);
      throw error;
    }
  }

  get(parameter: string): string {
    return this.namespace.run(() => readParameter(parameter));
  }

  counter(name: string): number | undefined {
    return this.namespace.run(() => readCounter(name));
  }

  /** Where the kernel does not let them be ended (it is an option of its build), they end in their own time. */
  #endSockets(): void {
    const request = { family: "both", states: LINGERING, extensions: [], bytecode: undefined } as const;
    for (const message of decodeRows(this.diag.dump(request))) {
      try {
        this.diag.destroy(message.family === 2 ? 2 : 10, message);
      } catch (error) {
        if (!(error instanceof NetlinkError)) throw error;
      }
    }
  }

  /** Its processes have ended. */
  close(): void {
    this.#endSockets();
    this.diag.close();
    this.port.close();
    this.namespace.close();
  }
}
