import { Unavailable } from "../../lab/world.ts";
import type { NetworkNamespace } from "../../linux/network-namespace.ts";
import { SyscallError } from "../../sys/index.ts";
import type { LinkKind, Port } from "./port.ts";
import { TunPort } from "./tun-port.ts";

/** A host's place on the wire, of this kind; of the first kind that can be had where none is asked for. */
export function makePort(kind: LinkKind | undefined, namespace: NetworkNamespace, _number: number): Port {
  if (kind === "veth") throw new Unavailable("a link of kind veth");
  try {
    return namespace.run(() => new TunPort());
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    throw new Unavailable(`/dev/net/tun (${error.message})`);
  }
}
