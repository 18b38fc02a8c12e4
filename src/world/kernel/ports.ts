import { Unavailable } from "../../lab/world.ts";
import { isFiltered } from "../../linux/namespace-refusal.ts";
import { NetlinkError } from "../../linux/netlink-error.ts";
import type { NetworkNamespace } from "../../linux/network-namespace.ts";
import { SockDiag } from "../../linux/sock-diag.ts";
import { SyscallError } from "../../sys/index.ts";
import type { LinkKind, Port } from "./port.ts";
import { TunPort } from "./tun-port.ts";
import { VethPort } from "./veth-port.ts";

const MAKE: Record<LinkKind, (namespace: NetworkNamespace) => Port> = {
  tun: (namespace) => namespace.run(() => new TunPort()),
  veth: (namespace) => new VethPort(namespace),
};

/** What TUN says where it is missing, or not for this user. */
const NO_TUN = new Set(["ENOENT", "EACCES", "EPERM", "ENODEV", "ENXIO"]);

function refusal(error: unknown): SyscallError | NetlinkError {
  if (error instanceof SyscallError || error instanceof NetlinkError) return error;
  throw error;
}

const NEED: Record<LinkKind, (refused: Error) => string> = {
  tun: ({ message }) => `/dev/net/tun, to be read and written (${message})`,
  veth: ({ message }) => `veth pairs and packet sockets, which kernels have as modules (${message})`,
};
const OTHER = { tun: "veth", veth: "tun" } as const;

/** By netlink hosts get their devices and addresses, and are looked at. Throws {@link Unavailable} where it is denied. */
function mustHaveNetlink(): void {
  try {
    new SockDiag().close();
  } catch (error) {
    const { code, errno } = refusal(error);
    const filter = isFiltered()
      ? "; a seccomp filter is on this process, as container engines put one (docker run --security-opt seccomp=unconfined)"
      : "";
    throw new Unavailable(
      `netlink, by which hosts get their addresses and their sockets are seen (socket AF_NETLINK: ${code} (${errno})${filter}); ` +
        "lab run --on model and predict do without",
    );
  }
}

/**
 * A host's place on the wire: of this kind, or by TUN, and by veth where there is no TUN. Throws {@link Unavailable}, which
 * says what was refused.
 */
export function makePort(kind: LinkKind | undefined, namespace: NetworkNamespace): Port {
  mustHaveNetlink();
  try {
    return MAKE[kind ?? "tun"](namespace);
  } catch (error) {
    const refused = refusal(error);
    if (kind) throw new Unavailable(`${NEED[kind](refused)}; a link of kind ${OTHER[kind]} does without`);
    if (!NO_TUN.has(refused.code)) throw error;
    return makeVeth(namespace, NEED.tun(refused));
  }
}

function makeVeth(namespace: NetworkNamespace, insteadOf: string): Port {
  try {
    return MAKE.veth(namespace);
  } catch (error) {
    throw new Unavailable(`${insteadOf}, or else ${NEED.veth(refusal(error))}`);
  }
}
