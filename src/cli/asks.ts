/** The binds that `why` and `wait` are asked about, in words of the command line. */
import { formatIp } from "../codec/address.ts";
import type { Ask } from "../diagnose/diagnose.ts";
import { userId } from "../linux/users.ts";
import { describedAsk } from "../remedy/asks.ts";
import { usualAsks } from "../remedy/look.ts";
import { UsageError } from "./exit-status.ts";
import { parseAddress, parseEndpoint, type EndpointArgument } from "./values.ts";

/** The options that describe one bind. */
export interface Described {
  address?: string;
  "reuse-address"?: boolean;
  "reuse-port"?: boolean;
  "ipv6-only"?: boolean;
  user?: string;
}

export const ASK_OPTIONS = {
  address: { type: "string" },
  "reuse-address": { type: "boolean" },
  "reuse-port": { type: "boolean" },
  "ipv6-only": { type: "boolean" },
  user: { type: "string" },
} as const;

export const ASK_HELP = `Without options two binds are asked about: that of a plain socket, and that of Node's listen (SO_REUSEADDR, and :: for
IPv4 and IPv6 where no address is given). With any of these it is one, as described:
      --address A      the address to bind, one of a link with its interface (fe80::1%eth0); by default 0.0.0.0
      --reuse-address  with SO_REUSEADDR
      --reuse-port     with SO_REUSEPORT
      --ipv6-only      with IPV6_V6ONLY, by default on ::
      --user U         as this user
`;

function uidOf(user: string): number {
  const uid = userId(user);
  if (uid === undefined) throw new UsageError(`there is no user '${user}' in /etc/passwd; a number will do as well`);
  return uid;
}

/** The bind that the options describe. */
function flaggedAsk(described: Omit<Described, "address">, endpoint: EndpointArgument): Ask {
  const { "reuse-address": reuseAddress, "reuse-port": reusePort, "ipv6-only": ipv6Only, user } = described;
  const { address } = endpoint;
  if (ipv6Only && address?.length === 4) throw new UsageError(`--ipv6-only: ${formatIp(address)} is no IPv6 address`);
  return describedAsk({
    ...endpoint,
    reuseAddress,
    reusePort,
    ipv6Only,
    uid: user === undefined ? undefined : uidOf(user),
  });
}

/** The endpoint of an argument, its address perhaps given by --address. */
export function endpointFor(argument: string, address: string | undefined): EndpointArgument {
  const endpoint = parseEndpoint(argument);
  if (address === undefined) return endpoint;
  if (endpoint.address) throw new UsageError(`'${argument}' and --address ${address}: the address is given twice`);
  return { ...endpoint, ...parseAddress(address) };
}

/** The binds that a command line asks about: the one that it describes, or the two usual ones. */
export function asksFor({ address, ...flags }: Described, argument: string): Ask[] {
  const endpoint = endpointFor(argument, address);
  const one = Object.values(flags).some((value) => value !== undefined);
  return one ? [flaggedAsk(flags, endpoint)] : usualAsks(endpoint);
}
