/**
 * What a test needs of the machine. A test whose need is not met is skipped with the need's name, which the run lists at
 * its end; under LASTACK_STRICT=1 it fails instead.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { test, type TestContext } from "vitest";

interface Need {
  isMet(): boolean;
  /** The Debian packages that would meet it. */
  packages?: readonly string[];
}

function runs(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

function mayUse(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** True for a process that may make network namespaces, as the real root or as root of a user namespace. */
const inNamespace = () => runs("unshare", "--net", "true");

export const NEEDS = {
  "a network namespace": { isMet: inNamespace },
  "a PID namespace": { isMet: () => runs("unshare", "--pid", "--fork", "--mount-proc", "true") },
  "a C compiler": { isMet: () => runs("cc", "--version"), packages: ["gcc", "libc6-dev"] },
  "systemd-socket-activate": {
    isMet: () => runs("systemd-socket-activate", "--version"),
    packages: ["systemd"],
  },
  ss: { isMet: () => runs("ss", "--version"), packages: ["iproute2"] },
  tshark: { isMet: () => runs("tshark", "--version"), packages: ["tshark"] },
  Chromium: { isMet: () => runs("chromium", "--version"), packages: ["chromium", "fonts-dejavu-core"] },
  "/dev/net/tun": { isMet: () => mayUse("/dev/net/tun") },
  "a second uid": {
    isMet: () => process.getuid?.() === 0 && runs("setpriv", "--reuid", "65534", "--clear-groups", "true"),
  },
} satisfies Record<string, Need>;

export type NeedName = keyof typeof NEEDS;

const met = new Map<NeedName, boolean>();
function isMet(name: NeedName): boolean {
  const known = met.get(name) ?? NEEDS[name].isMet();
  met.set(name, known);
  return known;
}

/** Ends a test for want of what only it could find out to be missing: skipped, or failed under LASTACK_STRICT. */
export function lacking(context: TestContext, what: string): never {
  const note = `needs ${what}`;
  if (process.env["LASTACK_STRICT"]) throw new Error(`${note} (LASTACK_STRICT makes this a failure)`);
  return context.skip(note);
}

/** A test that runs where all of `needs` are met. */
export function testNeeding(
  needs: readonly NeedName[],
  name: string,
  body: (context: TestContext) => unknown,
  timeoutMs?: number,
): void {
  test(
    name,
    async (context) => {
      const missing = needs.filter((need) => !isMet(need));
      if (missing.length > 0) lacking(context, missing.join(", "));
      await body(context);
    },
    timeoutMs,
  );
}
