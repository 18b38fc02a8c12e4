/** Facts of a port, made up: what a test says, on a host where nothing else is remarkable. */
import { parseIp } from "../../src/codec/address.ts";
import type { Ask } from "../../src/diagnose/diagnose.ts";
import type { BindRequest, Facts, HolderProcess, PortSocket } from "../../src/diagnose/facts.ts";

export const PORT = 3000;
export const NOW_MS = Date.UTC(2026, 0, 1, 12);

export function madeFacts(given: Partial<Facts> & { holders?: readonly HolderProcess[] } = {}): Facts {
  const { holders = [], ...rest } = given;
  return {
    port: PORT,
    nowMs: NOW_MS,
    sockets: [],
    interrupted: false,
    processes: new Map(holders.map((process) => [process.pid, process])),
    unreadable: [],
    keepers: [],
    kernelServices: [],
    elsewhere: [],
    asker: { uid: 1000, user: "alice", mayBindPrivileged: false, ancestors: [] },
    users: (uid) => (uid === 0 ? "root" : uid === 1000 ? "alice" : String(uid)),
    settings: { unprivilegedPortStart: 1024, localPortRange: [32_768, 60_999], orphanRetries: 8, finTimeoutS: 60 },
    addressTrouble: new Map(),
    policies: [],
    trials: [],
    ...rest,
  };
}

export function madeSocket(given: Partial<PortSocket> = {}): PortSocket {
  return {
    protocol: "tcp4",
    state: "LISTEN",
    local: { address: "0.0.0.0", port: PORT },
    peer: { address: "0.0.0.0", port: 0 },
    interfaceIndex: 0,
    receiveQueue: 0,
    sendQueue: 128,
    timer: null,
    uid: 1000,
    inode: 7,
    cookie: 1n,
    holders: [],
    ...given,
  };
}

/** A listener that these processes hold. */
export function heldBy(...holders: readonly HolderProcess[]): Partial<Facts> & { holders: readonly HolderProcess[] } {
  return { holders, sockets: [madeSocket({ holders: holders.map(({ pid }) => ({ pid, fd: 3 })) })] };
}

export function madeProcess(program: string, given: Partial<HolderProcess> = {}): HolderProcess {
  return {
    pid: 4242,
    program,
    comm: program,
    arguments: [program],
    uid: 1000,
    user: "alice",
    state: "S",
    startedAtMs: NOW_MS - 7_200_000,
    workingDirectory: "/home/alice",
    unit: null,
    containerId: null,
    parents: [{ pid: 4000, program: "bash" }],
    ...given,
  };
}

export function madeRequest(given: Partial<Omit<BindRequest, "address">> & { address?: string } = {}): BindRequest {
  const { address = "0.0.0.0", ...rest } = given;
  return {
    address: parseIp(address)!,
    port: PORT,
    reuseAddress: false,
    reusePort: false,
    ipv6Only: false,
    uid: 1000,
    ...rest,
  };
}

/** The two binds that people mean. */
export const USUAL: readonly Ask[] = [
  { name: "a plain socket", request: madeRequest() },
  { name: "Node's listen", request: madeRequest({ address: "::", reuseAddress: true }) },
];
