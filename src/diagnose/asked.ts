/** The binds that were asked about, as words of a command line: `why`, `wait` and `free` take the same ones. */
import { formatEndpoint, formatZoned, isUnspecified } from "../codec/address.ts";
import type { BindRequest } from "./facts.ts";

/** Stands for these words in the command of a remedy, until it is known what was asked. */
export const ASKED = "[ADDR:]PORT";

const isAny = (address: Uint8Array | undefined, length: number) => address?.length === length && isUnspecified(address);

function flagsOf({ reuseAddress, reusePort, ipv6Only, uid }: BindRequest, asker: number): string[] {
  return [
    ...(reuseAddress ? ["--reuse-address"] : []),
    ...(reusePort ? ["--reuse-port"] : []),
    ...(ipv6Only ? ["--ipv6-only"] : []),
    ...(uid === asker ? [] : ["--user", String(uid)]),
  ];
}

/** Two requests are the usual ones, of a plain socket and of Node's listen; one is told with its options. */
export function askedWords([first, second]: readonly BindRequest[], asker: number): string[] {
  const { address, port, ipv6Only } = first!;
  const flags = second ? [] : flagsOf(first!, asker);
  // What a port alone stands for depends on the options.
  const isUsual = second ? isAny(address, 4) && isAny(second.address, 16) : isAny(address, ipv6Only ? 16 : 4);
  const bare = isUsual && (second !== undefined || flags.length > 0);
  return [bare ? String(port) : formatEndpoint(formatZoned(first!), port), ...flags];
}

/** A command with these words where {@link ASKED} stands. */
export function withAsked(command: readonly string[], words: readonly string[]): string[] {
  return command.flatMap((word) => (word === ASKED ? words : [word]));
}
