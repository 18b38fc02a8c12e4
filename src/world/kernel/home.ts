/** The namespace in which the lab itself lives: hosts are made from it, and nothing outside it is ever touched. */
import { release } from "node:os";
import { enterNewNetworkNamespace } from "../../linux/namespace.ts";
import { readParameter, writeParameter } from "../../linux/parameter.ts";

/** This system lets the user make no network namespace. */
export class NoNamespace extends Error {
  override readonly name = "NoNamespace";
  readonly code = "EPERM";
  constructor() {
    super("the kernel grants no network namespace (unshare: EPERM)");
  }
}

/** Parameters whose defaults follow from the size of the connection table, which is made small here. */
const BY_TABLE = ["net.ipv4.tcp_max_tw_buckets", "net.ipv4.tcp_max_syn_backlog"];

/**
 * How many buckets a host's own connection table has (Linux 6.1; older kernels share one table). Looking at all sockets
 * of a host walks it: 0.1 ms with this many, 0.5 ms with the usual 262,144.
 */
const TABLE_SIZE = 4096;

let home: { parameters: Record<string, string> } | undefined;

/**
 * Moves the calling thread into the lab's namespace, once. Returns the parameters that hosts have to be given so that
 * they are like any other host. Throws {@link NoNamespace}.
 */
export function enterHome(): Readonly<Record<string, string>> {
  if (home) return home.parameters;
  if (!enterNewNetworkNamespace()) throw new NoNamespace();
  home = { parameters: {} };
  try {
    const parameters = Object.fromEntries(BY_TABLE.map((name) => [name, readParameter(name)]));
    writeParameter("net.ipv4.tcp_child_ehash_entries", TABLE_SIZE);
    home.parameters = parameters;
  } catch {
    // An older kernel, or a /proc/sys that may only be read: looking takes longer, and is right all the same.
  }
  return home.parameters;
}

export function systemName(): string {
  return `Linux ${release()}`;
}
