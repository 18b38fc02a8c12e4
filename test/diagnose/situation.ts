/** What the tests of causes share: a holder of its own process, the diagnosis as users get it, and its remedy applied. */
import { spawnSync } from "node:child_process";
import { expect } from "vitest";
import { shellWord } from "../../src/cli/as-root.ts";
import type { Cause } from "../../src/diagnose/finding.ts";
import {
  bind,
  listen,
  SCM_RIGHTS,
  sendmsg,
  setsockopt,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOL_SOCKET,
  SyscallError,
  type Fd,
} from "../../src/sys/index.ts";
import { lastack, Running } from "../support/cli.ts";
import { sockaddr, Sockets } from "../support/tcp.ts";
import { until } from "../support/until.ts";

export interface ToldFinding {
  cause: Cause;
  blocks: boolean;
  headline: string;
  detail: string[];
  sockets: number[];
  endsAt: string | null;
  remedies: { what: string; cost?: string; command?: string[] }[];
  /** How it was asked for. */
  asked: { args: readonly string[]; uid?: number | undefined };
}

export interface Told {
  port: number;
  answer: "free" | "blocked" | "unknown";
  headline: string;
  freeAt: string | null;
  asks: { name: string; outcome: string; errno: string | null; provedBy: string; blockers: number[] }[];
  findings: ToldFinding[];
  unknowns: string[];
  processes: { pid: number; program: string; arguments: string[] | null }[];
  sockets: { state: string; options: { reuseAddress: boolean; reusePort: boolean } | null }[];
}

const STATUS = { free: 0, blocked: 1, unknown: 3 };

/** `lastack why PORT OPTIONS --json`, its status checked. */
export function why(argument: number | string, options: readonly string[] = [], uid?: number): Told {
  const args = ["why", String(argument), "--json", ...options];
  const { stdout, stderr, status } = lastack(args, uid === undefined ? {} : { uid });
  expect(stderr).toBe("");
  const [told] = (JSON.parse(stdout) as { ports: [Told] }).ports;
  expect(status).toBe(STATUS[told.answer]);
  for (const finding of told.findings) finding.asked = { args: ["why", String(argument), ...options], uid };
  return told;
}

export function findingOf(told: Told, cause: Cause): ToldFinding {
  const finding = told.findings.find((one) => one.cause === cause);
  if (!finding)
    throw new Error(`no ${cause} among: ${told.findings.map((one) => `${one.cause}: ${one.headline}`).join("; ")}`);
  return finding;
}

/** The first cause, and what the two usual binds would get: a plain socket's errno, then that of Node's listen. */
export function summary(told: Told): [cause: Cause, ...errnos: (string | null)[]] {
  return [told.findings[0]!.cause, ...told.asks.map(({ errno }) => errno)];
}

interface WithRemedies extends Partial<Pick<ToldFinding, "asked">> {
  remedies: readonly { command?: readonly string[] }[];
}

/**
 * Runs the first command among the finding's remedies whose words match, as `why` prints it: `free` on a terminal, with yes
 * for what it asks.
 */
export function apply({ remedies, asked }: WithRemedies, pattern: RegExp, expected = 0): void {
  const command = remedies.map((one) => one.command ?? []).find((words) => pattern.test(words.join(" ")));
  if (!command) throw new Error(`no remedy like ${pattern} in ${JSON.stringify(remedies)}`);
  const line = command.map(shellWord).join(" ");
  if (asked) {
    const { stdout } = lastack(asked.args, asked.uid === undefined ? {} : { uid: asked.uid });
    expect(stdout).toContain(`\n  ${line}\n`);
  }
  const asRoot = line.replace(/^sudo /, ""); // the tests are root already
  const shell = command.includes("free") ? ["script", "-qec", asRoot, "/dev/null"] : ["sh", "-c", asRoot];
  const { status, stdout } = spawnSync(shell[0]!, shell.slice(1), { input: "y\r", encoding: "utf8" });
  expect({ line, status, stdout }).toEqual({ line, status: expected, stdout: expect.anything() });
}

export const sockets = new Sockets();

export interface Flags {
  reuseAddress?: boolean;
  reusePort?: boolean;
}

/** For `prepare`: sets these options. */
export function flags({ reuseAddress, reusePort }: Flags) {
  return (fd: Fd): void => {
    if (reuseAddress) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (reusePort) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  };
}

/** A process that holds these sockets at descriptors 3, 4, …; this one lets go of them. */
export function handOver(held: readonly Fd[], { command = ["cat"], uid = 0 } = {}): Running {
  const stdio = ["pipe" as const, "pipe" as const, "pipe" as const, ...held.map(({ number }) => number)];
  const holder = new Running(command, { stdio, uid, gid: uid });
  for (const fd of held) fd.close();
  return holder;
}

/** Sends a descriptor over a Unix socket (SCM_RIGHTS): until it is received, the message alone has it. */
export function sendDescriptor(over: Fd, sent: Fd): void {
  const control = new Uint8Array(24); // struct cmsghdr: length (8), level (4), type (4), then the descriptor
  const view = new DataView(control.buffer);
  view.setBigUint64(0, 20n, true);
  view.setInt32(8, SOL_SOCKET, true);
  view.setInt32(12, SCM_RIGHTS, true);
  view.setInt32(16, sent.number, true);
  sendmsg(over, { data: Uint8Array.of(0), control });
}

/** True if bind and listen are granted; both are undone. */
export function bindsNow(ip: string, port: number, how: Flags = {}): boolean {
  using own = new Sockets();
  try {
    const fd = own.create(ip, { prepare: flags(how) });
    bind(fd, sockaddr(ip, port));
    listen(fd, 1);
    return true;
  } catch (error) {
    if (error instanceof SyscallError) return false;
    throw error;
  }
}

/** The remedy worked: the port can be bound, soon at the latest, and lastack says so. */
export async function becomesFree(port: number, ip = "0.0.0.0", how: Flags = {}): Promise<void> {
  await until(`port ${port} to be free`, () => bindsNow(ip, port, how));
}

/** What bind and listen would get must be what they do get. */
export function expectTruth(told: Told, port: number): void {
  const [plain, nodes] = told.asks;
  expect(bindsNow("0.0.0.0", port), "a plain socket").toBe(plain!.outcome === "granted");
  expect(bindsNow("::", port, { reuseAddress: true }), "Node's listen").toBe(nodes!.outcome === "granted");
}
