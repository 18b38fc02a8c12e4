/** Values as people write them on a command line. Each parser throws `UsageError` with what would be right. */
import { parseIpv4, type Zone, type ZonedAddress } from "../codec/address.ts";
import { readAddress } from "../linux/zoned-address.ts";
import { UsageError } from "./exit-status.ts";

/** A port, 1 to 65535, with or without a colon before it. */
export function parsePort(text: string): number {
  const digits = /^:?(\d+)$/.exec(text)?.[1];
  const port = Number(digits);
  if (digits === undefined) throw new UsageError(`'${text}' is not a port: a port is a number from 1 to 65535`);
  if (port < 1 || port > 65535) throw new UsageError(`port ${digits} does not exist: ports go from 1 to 65535`);
  return port;
}

export interface EndpointArgument {
  /** undefined: only a port was given. */
  address?: Uint8Array;
  zone?: Zone | undefined;
  port: number;
}

/** An IP address in text, in brackets or not, or `localhost`; `*` stands for 0.0.0.0. */
export function parseAddress(text: string): ZonedAddress {
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  if (bare === "localhost") return { address: Uint8Array.of(127, 0, 0, 1) };
  if (bare === "*") return { address: Uint8Array.of(0, 0, 0, 0) };
  const read = readAddress(bare);
  if (read.ok) return read.value;
  const hint = bare.includes("%") ? "" : ": write it like 127.0.0.1 or ::1 (names are not looked up)";
  throw new UsageError(read.problem + hint);
}

/** `3000`, `:3000`, `127.0.0.1:3000` or `[::1]:3000`. */
export function parseEndpoint(text: string): EndpointArgument {
  const match = /^(.*):([^:\]]*)$/.exec(text);
  if (/^\[.*\]$/.test(text) || parseIpv4(text)) {
    throw new UsageError(`'${text}': the port is missing, as in ${text}:3000`);
  }
  if (!match || match[1] === "") return { port: parsePort(text) };
  if (match[1]!.includes(":") && !match[1]!.startsWith("[")) {
    throw new UsageError(`'${text}': write an IPv6 address with a port in brackets, like [::1]:3000`);
  }
  return { ...parseAddress(match[1]!), port: parsePort(match[2]!) };
}

/** A whole number from `least` to `most`. */
export function parseInteger(text: string, option: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || value < least || value > most) {
    throw new UsageError(`${option} ${text}: expected a whole number from ${least} to ${most}`);
  }
  return value;
}

const UNITS: Record<string, number> = { ms: 1, s: 1000, "": 1000, m: 60_000 };
const MAX_DURATION_MS = 24 * 3600 * 1000;

/** `500ms`, `2s`, `1.5`, `2m`: milliseconds; without a unit it is seconds. At most a day. */
export function parseDuration(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|)$/.exec(text);
  const ms = match ? Number(match[1]) * UNITS[match[2]!]! : Number.NaN;
  if (!(ms <= MAX_DURATION_MS)) {
    throw new UsageError(`${option} ${text}: expected a duration like 500ms, 2s or 2m, at most a day`);
  }
  return ms;
}
