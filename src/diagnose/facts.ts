/** What is known about a port before anything is concluded from it. Collected by src/linux/facts.ts. */
import type { ZonedAddress } from "../codec/address.ts";
import type { TcpSocket } from "../codec/tcp-socket.ts";

/** The options that decide about sharing a port. They belong to the socket, whoever holds it. */
export interface SharingOptions {
  reuseAddress: boolean;
  reusePort: boolean;
  /** Of IPv6 sockets. */
  ipv6Only?: boolean;
}

/** A descriptor that refers to a socket. */
export interface SocketHolder {
  pid: number;
  fd: number;
}

/** A socket whose local port is the one in question. */
export interface PortSocket extends TcpSocket {
  holders: readonly SocketHolder[];
  /** As the socket itself tells; undefined where nobody could ask it. */
  options?: SharingOptions | undefined;
  /** How long ago the last segment came, milliseconds; only of CLOSE-WAIT. */
  quietMs?: number | undefined;
  /** The device that it is bound to. */
  device?: string | undefined;
}

export interface ParentProcess {
  pid: number;
  program: string;
  /** What an interpreter runs, by its last name without ending: `nodemon` of `node /usr/bin/nodemon.js app.js`. */
  script?: string | undefined;
}

export interface HolderProcess {
  pid: number;
  program: string;
  /** The kernel's short name, which programs may change. */
  comm: string;
  /** null where it may not be read. */
  arguments: readonly string[] | null;
  uid: number;
  user: string;
  /** R, S, D, T (stopped), Z (zombie), ... (proc(5)). */
  state: string;
  startedAtMs: number;
  workingDirectory: string | null;
  unit: string | null;
  containerId: string | null;
  /** Nearest first. */
  parents: readonly ParentProcess[];
  /** The process that it outlived: the first of its group, which has ended and left it to another parent. */
  endedLeader?: number | undefined;
}

/** A process that keeps a socket where no descriptor shows it: in a message on its way, or in an io_uring ring. */
export interface HiddenKeeper {
  kind: "message" | "ring";
  pid: number;
  program: string;
  fd: number;
}

/** A listener on the same port in a network namespace of its own. */
export interface ForeignListener {
  /** The number in /proc/PID/ns/net. */
  namespace: number;
  holder: { pid: number; program: string } | null;
  local: { address: string; port: number };
}

/** A bind that was tried, or is to be: what it asks for. */
export interface BindRequest extends ZonedAddress {
  port: number;
  reuseAddress: boolean;
  reusePort: boolean;
  /** Of an IPv6 address. */
  ipv6Only: boolean;
  uid: number;
}

/** A bind that was made and undone: what the kernel said. */
export interface Trial {
  request: BindRequest;
  /** null: granted. */
  errno: string | null;
}

export interface Settings {
  /** net.ipv4.ip_unprivileged_port_start */
  unprivilegedPortStart: number;
  /** net.ipv4.ip_local_port_range, both included */
  localPortRange: readonly [number, number];
  /** net.ipv4.tcp_orphan_retries, 8 for the kernel's 0 */
  orphanRetries: number;
  /** net.ipv4.tcp_fin_timeout, seconds */
  finTimeoutS: number;
}

/** Why an address can't be bound; undefined in {@link Facts} where it can. */
export type AddressTrouble = "absent" | "tentative" | "duplicate" | "without zone";

export interface Facts {
  port: number;
  /** Wall-clock time of the look, milliseconds since 1970. */
  nowMs: number;
  /** In all states, those that are only bound too (unless `denied`). */
  sockets: readonly PortSocket[];
  /** Why netlink was not used: then sockets that are only bound are missing. */
  denied?: string | undefined;
  /** The table changed while it was read: rows may be missing or double. */
  interrupted: boolean;
  processes: ReadonlyMap<number, HolderProcess>;
  /** Processes whose descriptors may not be read, by their user. */
  unreadable: readonly { uid: number; user: string; processes: number }[];
  /** Processes are missing from /proc: `hidepid` shows those of others to root alone, or there is no /proc. */
  hidden?: "hidepid" | "no proc" | undefined;
  /** Looked for only where a listener has no holder and all processes could be read. */
  keepers: readonly HiddenKeeper[];
  /** Kernel services that listen by themselves and run here: their threads' names. */
  kernelServices: readonly string[];
  /** Looked for only where nobody listens here. */
  elsewhere: readonly ForeignListener[];
  /** Who asks: the user, and the processes that started this one. */
  asker: { uid: number; user: string; mayBindPrivileged: boolean; ancestors: readonly number[] };
  users: (uid: number) => string;
  settings: Settings;
  /** Of each address asked for, by its text; absent: none. */
  addressTrouble: ReadonlyMap<string, AddressTrouble>;
  /** What else can refuse a bind here, as the system shows it. */
  policies: readonly ("SELinux" | "WSL")[];
  trials: readonly Trial[];
}
