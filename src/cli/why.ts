import { formatEndpoint, formatIp } from "../codec/address.ts";
import type { Ask } from "../diagnose/diagnose.ts";
import { userId } from "../linux/users.ts";
import { ANY4, ANY6, look, usualAsks } from "../remedy/look.ts";
import { EXIT, UsageError } from "./exit-status.ts";
import { parseOptions } from "./options.ts";
import { writeOut } from "./output.ts";
import { parseAddress, parseDuration, parseEndpoint, type EndpointArgument } from "./values.ts";

export const help = `lastack why: what keeps a port from being bound, who has it, and what helps

Usage: lastack why [ADDR:]PORT... [options]
       lastack [ADDR:]PORT...      the same
       lastack why                 what is wrong with this host's connections, from two looks

Without options two binds are asked about: that of a plain socket, and that of Node's listen (SO_REUSEADDR, and :: for
IPv4 and IPv6 where no address is given). With any of these it is one, as described:
      --address A      the address to bind; by default 0.0.0.0
      --reuse-address  with SO_REUSEADDR
      --reuse-port     with SO_REUSEPORT
      --ipv6-only      with IPV6_V6ONLY, by default on ::
      --user U         as this user

Options
      --no-probe       never bind, not even for the microseconds that prove an answer which the lists of sockets leave open
      --for TIME       without a port: how long to look, 3s by default
      --json           one JSON document

Exit status: 0 free (or nothing wrong), 1 blocked (or something is), 3 it cannot be told without more permissions

Examples
  lastack 3000                       who has port 3000, and how to get it
  lastack why 127.0.0.1:3000 8080    two ports, the first on one address
  lastack why 80 --user www-data     whether that user may bind port 80
  lastack why --for 10s              whose connections pile up
`;

/** The options that describe one bind. */
interface Described {
  address?: string;
  "reuse-address"?: boolean;
  "reuse-port"?: boolean;
  "ipv6-only"?: boolean;
  user?: string;
}

function options(args: string[]) {
  return parseOptions({
    args,
    allowPositionals: true,
    options: {
      address: { type: "string" },
      "reuse-address": { type: "boolean" },
      "reuse-port": { type: "boolean" },
      "ipv6-only": { type: "boolean" },
      user: { type: "string" },
      "no-probe": { type: "boolean" },
      for: { type: "string" },
      json: { type: "boolean" },
    },
  });
}

function uidOf(user: string): number {
  const uid = userId(user);
  if (uid === undefined) throw new UsageError(`there is no user '${user}' in /etc/passwd; a number will do as well`);
  return uid;
}

/** The bind that the options describe. */
function describedAsk(described: Described, endpoint: EndpointArgument): Ask {
  const ipv6Only = described["ipv6-only"] === true;
  const address = endpoint.address ?? (ipv6Only ? ANY6 : ANY4);
  if (ipv6Only && address.length === 4) throw new UsageError(`--ipv6-only: ${formatIp(address)} is no IPv6 address`);
  const reuseAddress = described["reuse-address"] === true;
  const reusePort = described["reuse-port"] === true;
  const set = [
    ...(reuseAddress ? ["SO_REUSEADDR"] : []),
    ...(reusePort ? ["SO_REUSEPORT"] : []),
    ...(ipv6Only ? ["IPV6_V6ONLY"] : []),
  ];
  const uid = described.user === undefined ? process.geteuid!() : uidOf(described.user);
  const name = `a bind to ${formatEndpoint(formatIp(address), endpoint.port)}${set.length > 0 ? ` with ${set.join(", ")}` : ""}`;
  return { name, request: { address, port: endpoint.port, reuseAddress, reusePort, ipv6Only, uid } };
}

function asksFor(described: Described, argument: string): Ask[] {
  const endpoint = parseEndpoint(argument);
  if (described.address !== undefined) {
    if (endpoint.address)
      throw new UsageError(`'${argument}' and --address ${described.address}: the address is given twice`);
    endpoint.address = parseAddress(described.address);
  }
  const { address: _, ...flags } = described;
  const one = Object.values(flags).some((value) => value !== undefined);
  return one ? [describedAsk(described, endpoint)] : usualAsks(endpoint);
}

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = options(args);
  const { "no-probe": noProbe, for: span, json, ...described } = values;
  if (positionals.length === 0) {
    if (noProbe || Object.values(described).some((value) => value !== undefined)) {
      throw new UsageError("which port? lastack why PORT, or for the whole host no option but --for and --json");
    }
    const { explainHost } = await import("./why-host.ts");
    return explainHost(parseDuration(span ?? "3s", "--for"), json === true);
  }
  if (span !== undefined) throw new UsageError("--for is for a look at the whole host: lastack why --for 10s");
  const questions = positionals.map((argument) => asksFor(described, argument));
  const answers = questions.map((asks) => look(asks, { probe: !noProbe }));
  if (json) {
    const { answersAsJson } = await import("./why-json.ts");
    writeOut(answersAsJson(answers));
  } else {
    const { answerText } = await import("./why-text.ts");
    for (const [i, one] of answers.entries()) {
      if (i > 0) writeOut("\n");
      answerText(one, writeOut);
    }
  }
  const all = answers.map(({ diagnosis }) => diagnosis.answer);
  return all.includes("blocked") ? EXIT.no : all.includes("unknown") ? EXIT.permission : EXIT.ok;
}
