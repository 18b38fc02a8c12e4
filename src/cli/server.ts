import type { ZonedAddress } from "../codec/address.ts";
import { dieWithParent } from "../linux/parent.ts";
import { openListener, serve, type ServerOptions } from "../programs/server.ts";
import { MESSAGE_LENGTH, StepFailed } from "../programs/steps.ts";
import { UsageError } from "./exit-status.ts";
import { parseOptions } from "./options.ts";
import { say, tellFailure } from "./program-steps.ts";
import { parseAddress, parseDuration, parseEndpoint, parseInteger, parsePort } from "./values.ts";

export const help = `lastack server: the tutorial's server, step by step

Usage: lastack server [[ADDRESS:]PORT] [options]      (0.0.0.0:8000)

Binds, listens, accepts one client, reads what it says, then writes "I am server" to it for ever. Each step is a line;
a step that the kernel refuses comes with errno by name and number, and with what the kernel holds on the port.
Ctrl-C ends it as the tutorial means it: the process dies, and the kernel closes its connections.

Options
  -a, --address ADDRESS   where to listen (0.0.0.0; :: for IPv6 and IPv4)
  -p, --port PORT         8000
      --backlog N         of listen (20)
      --message TEXT      what to write, at most 19 bytes ("I am server")
      --every DURATION    pause between two messages, as 500ms or 2s (0: the tutorial's flood)
      --replies N         close after so many messages (never)
      --reuse-address     SO_REUSEADDR before bind: the tutorial's remedy
      --reuse-port        SO_REUSEPORT before bind
      --ipv6-only         IPV6_V6ONLY before bind
      --linger SECONDS    SO_LINGER; 0: closing sends a RST
      --half-close        after the last message shut down sending only, and wait for the client to close
      --ignore-sigpipe    when the client has gone, see EPIPE instead of dying of SIGPIPE
      --die-with-parent   end when the process that started this one ends (for scripts)

Examples
  lastack server                         then, elsewhere: lastack client
  lastack server 127.0.0.1:3000 --every 1s --reuse-address
  lastack server --replies 3             closes first: TIME-WAIT stays on its side
`;

/** An endpoint given as `ADDRESS:PORT`, by options, or both. */
export function endpointOf(
  values: { address?: string | undefined; port?: string | undefined },
  positionals: string[],
  fallback: ZonedAddress & { port: number },
): ZonedAddress & { port: number } {
  if (positionals.length > 1) throw new UsageError(`'${positionals[1]}': only one [ADDRESS:]PORT is taken`);
  const given = positionals[0] === undefined ? undefined : parseEndpoint(positionals[0]);
  if (given && values.port !== undefined) throw new UsageError(`the port is given twice: ${positionals[0]} and --port`);
  if (given?.address && values.address !== undefined) {
    throw new UsageError(`the address is given twice: ${positionals[0]} and --address`);
  }
  const { address, zone } = given ?? {};
  const zoned = values.address === undefined ? (address ? { address, zone } : fallback) : parseAddress(values.address);
  return {
    address: zoned.address,
    zone: zoned.zone,
    port: values.port === undefined ? (given?.port ?? fallback.port) : parsePort(values.port),
  };
}

/** A text that fits into a message. */
export function messageOf(text: string): string {
  const length = Buffer.byteLength(text);
  if (length >= MESSAGE_LENGTH) {
    throw new UsageError(`--message: ${length} bytes; the programs' messages hold at most ${MESSAGE_LENGTH - 1}`);
  }
  return text;
}

/** Linux keeps seconds of SO_LINGER as a number of jiffies in an int. */
export function lingerOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseInteger(text, "--linger", 0, 32767);
}

function parse(args: string[]): ServerOptions {
  const { values, positionals } = parseOptions({
    args,
    allowPositionals: true,
    options: {
      address: { type: "string", short: "a" },
      port: { type: "string", short: "p" },
      backlog: { type: "string" },
      message: { type: "string" },
      every: { type: "string" },
      replies: { type: "string" },
      "reuse-address": { type: "boolean" },
      "reuse-port": { type: "boolean" },
      "ipv6-only": { type: "boolean" },
      linger: { type: "string" },
      "die-with-parent": { type: "boolean" },
      "half-close": { type: "boolean" },
      "ignore-sigpipe": { type: "boolean" },
    },
  });
  if (values["die-with-parent"]) dieWithParent();
  const endpoint = endpointOf(values, positionals, { address: Uint8Array.of(0, 0, 0, 0), port: 8000 });
  if (values["ipv6-only"] && endpoint.address.length === 4) {
    throw new UsageError("--ipv6-only needs an IPv6 address: --address ::");
  }
  return {
    ...endpoint,
    backlog: values.backlog === undefined ? 20 : parseInteger(values.backlog, "--backlog", 0, 2 ** 31 - 1),
    message: messageOf(values.message ?? "I am server"),
    replyEveryMs: values.every === undefined ? 0 : parseDuration(values.every, "--every"),
    replies: values.replies === undefined ? Infinity : parseInteger(values.replies, "--replies", 0, 1e9),
    reuseAddress: values["reuse-address"] === true,
    reusePort: values["reuse-port"] === true,
    ipv6Only: values["ipv6-only"] === true,
    lingerSeconds: lingerOf(values.linger),
    halfClose: values["half-close"] === true,
    ignoreSigpipe: values["ignore-sigpipe"] === true,
  };
}

export function run(args: string[]): number {
  const options = parse(args);
  try {
    const listener = openListener(options, say);
    return serve(listener, options, say);
  } catch (error) {
    if (error instanceof StepFailed) return tellFailure(error, options.port, "server");
    throw error;
  }
}
