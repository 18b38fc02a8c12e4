/** Ways in which a port is taken, each made for real in this process's network namespace, by processes of their own. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import {
  AF_UNIX,
  SCM_RIGHTS,
  sendmsg,
  setsockopt,
  SHUT_WR,
  shutdown,
  SO_RCVBUF,
  SO_REUSEADDR,
  SOCK_STREAM,
  socketpair,
  SOL_SOCKET,
  trySend,
  type Fd,
} from "../../src/sys/index.ts";
import { readParameter, writeParameter } from "../../src/linux/parameter.ts";
import { Sockets } from "../../test/support/tcp.ts";
import { until } from "../../test/support/until.ts";

const MSG_DONTWAIT = 0x40;
const PORT_RANGE = "net.ipv4.ip_local_port_range";

/** One port that is taken, and what ends it. */
export class Taken {
  readonly #children: ChildProcess[] = [];
  readonly sockets = new Sockets();
  /** The processes that keep the port, as they are to be named; none where nobody does. */
  holders: number[] = [];
  undo = (): void => {};

  constructor(readonly port: number) {}

  /** Gives these to a process of their own, at 3, 4, …, and lets go of them. */
  give(held: readonly Fd[], command: readonly string[] = ["cat"]): ChildProcess {
    const stdio = ["pipe" as const, "pipe" as const, "ignore" as const, ...held.map(({ number }) => number)];
    const child = spawn(command[0]!, command.slice(1), { stdio, detached: true });
    this.#children.push(child);
    for (const fd of held) fd.close();
    return child;
  }

  listener(): Fd {
    return this.sockets.listener("0.0.0.0", { port: this.port });
  }

  /** A connection whose listener has gone; the client's end is another process's. */
  connection(): { server: Fd; client: ChildProcess } {
    const listener = this.listener();
    const { client, server } = this.sockets.pair(listener, "127.0.0.1");
    listener.close();
    return { server, client: this.give([client]) };
  }

  async end(): Promise<void> {
    this.undo();
    this.sockets.close();
    for (const child of this.#children) {
      try {
        process.kill(-child.pid!, "SIGKILL");
      } catch {} // ended already
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    }
  }
}

/** True once a socket of the port is in this state. */
export function reaches(port: number, state: string): Promise<unknown> {
  const filter = ["-Htan", "state", state, "sport", "=", `:${port}`];
  return until(`${state} on ${port}`, () => spawnSync("ss", filter, { encoding: "utf8" }).stdout.trim() !== "");
}

/** A program of test/fixtures, compiled. */
export function compiled(name: string, directory: string): string {
  const source = fileURLToPath(new URL(`../../test/fixtures/${name}.c`, import.meta.url));
  const { status, stderr } = spawnSync("cc", ["-pthread", "-w", "-o", `${directory}/${name}`, source]);
  if (status !== 0) throw new Error(String(stderr));
  return `${directory}/${name}`;
}

export interface Situation {
  /** The name in docs/causes.md. */
  cause: string;
  what: string;
  /** What an output that names the cause has. */
  named: RegExp;
  /** The address that is to be bound, for tools that can be told it. */
  asked?: string;
  make(taken: Taken, directory: string): Promise<void>;
}

function sendDescriptor(over: Fd, sent: Fd): void {
  const control = new Uint8Array(24); // struct cmsghdr: length (8), level (4), type (4), then the descriptor
  const view = new DataView(control.buffer);
  view.setBigUint64(0, 20n, true);
  view.setInt32(8, SOL_SOCKET, true);
  view.setInt32(12, SCM_RIGHTS, true);
  view.setInt32(16, sent.number, true);
  sendmsg(over, { data: Uint8Array.of(0), control });
}

const says = (child: ChildProcess) => once(child.stdout!, "data");

export const SITUATIONS: readonly Situation[] = [
  {
    cause: "listener",
    what: "a program listens",
    named: /LISTEN|listens/,
    async make(taken) {
      taken.holders = [taken.give([taken.listener()]).pid!];
    },
  },
  {
    cause: "listener",
    what: "it is suspended (Ctrl-Z)",
    named: /suspended|stopped/i,
    async make(taken) {
      const { pid } = taken.give([taken.listener()]);
      process.kill(pid!, "SIGSTOP");
      taken.holders = [pid!];
    },
  },
  {
    cause: "inherited-listener",
    what: "a program and its child hold one listener",
    named: /together/,
    async make(taken) {
      const child = taken.give([taken.listener()], ["bash", "-c", "sleep 600 >/dev/null & echo $!; read go"]);
      const [text] = (await says(child)) as [Buffer];
      taken.holders = [child.pid!, Number(text.toString())];
    },
  },
  {
    cause: "zombie-leader",
    what: "its first thread has ended",
    named: /first thread/,
    async make(taken, directory) {
      const child = taken.give([taken.listener()], [compiled("thread-holder", directory), "leader"]);
      const status = () => spawnSync("ps", ["-o", "stat=", "-p", String(child.pid)], { encoding: "utf8" }).stdout;
      await until("the end of the first thread", () => status().startsWith("Z"));
      taken.holders = [child.pid!];
    },
  },
  {
    cause: "in-flight",
    what: "a listener in a message on its way",
    named: /message/,
    async make(taken) {
      const listener = taken.listener();
      const [left, right] = socketpair(AF_UNIX, SOCK_STREAM);
      sendDescriptor(left, listener);
      listener.close();
      taken.holders = [taken.give([left, right]).pid!];
    },
  },
  {
    cause: "io-uring",
    what: "a listener in an io_uring ring",
    named: /io_uring/,
    async make(taken, directory) {
      const child = taken.give([taken.listener()], [compiled("ring-holder", directory)]);
      await says(child);
      taken.holders = [child.pid!];
    },
  },
  {
    cause: "bound-only",
    what: "bound, and not listening",
    named: /does not listen|BOUND|UNCONN/,
    async make(taken) {
      taken.holders = [taken.give([taken.sockets.bound("0.0.0.0", { port: taken.port })]).pid!];
    },
  },
  {
    cause: "time-wait",
    what: "TIME-WAIT",
    named: /TIME.WAIT/,
    async make(taken) {
      const { server, client } = taken.connection();
      server.close();
      client.kill();
      await reaches(taken.port, "time-wait");
    },
  },
  {
    cause: "orphan-fin-wait-2",
    what: "FIN-WAIT-2 that nobody has",
    named: /FIN.WAIT.?2/,
    async make(taken) {
      taken.connection().server.close();
      await reaches(taken.port, "fin-wait-2");
    },
  },
  {
    cause: "half-closed",
    what: "FIN-WAIT-2 after shutdown",
    named: /FIN.WAIT.?2/,
    async make(taken) {
      const { server } = taken.connection();
      shutdown(server, SHUT_WR);
      taken.holders = [taken.give([server]).pid!];
      await reaches(taken.port, "fin-wait-2");
    },
  },
  {
    cause: "unread-data",
    what: "FIN-WAIT-1, the peer does not read",
    named: /FIN.WAIT.?1/,
    async make(taken) {
      const listener = taken.listener();
      const prepare = (fd: Fd) => setsockopt(fd, SOL_SOCKET, SO_RCVBUF, 4096);
      const client = taken.sockets.client(listener, "127.0.0.1", { prepare });
      const server = taken.sockets.accept(listener);
      listener.close();
      taken.give([client], ["sleep", "600"]);
      while (trySend(server, new Uint8Array(65_536), MSG_DONTWAIT) > 0);
      server.close();
      await reaches(taken.port, "fin-wait-1");
    },
  },
  {
    cause: "close-wait",
    what: "CLOSE-WAIT",
    named: /CLOSE.WAIT/,
    async make(taken) {
      const { server, client } = taken.connection();
      taken.holders = [taken.give([server], ["sleep", "600"]).pid!];
      client.kill();
      await reaches(taken.port, "close-wait");
    },
  },
  {
    cause: "unanswered-close",
    what: "LAST-ACK, the peer's host is gone",
    named: /LAST.ACK/,
    async make(taken) {
      const { server, client } = taken.connection();
      client.kill();
      await reaches(taken.port, "close-wait");
      const loopback = (state: string) => spawnSync("ip", ["link", "set", "lo", state]);
      loopback("down");
      taken.undo = () => loopback("up");
      server.close();
      await reaches(taken.port, "last-ack");
    },
  },
  {
    cause: "outgoing-connection",
    what: "a client was given the port by chance",
    named: /outgoing|127\.0\.0\.1:(443|https)\b/,
    async make(taken) {
      const before = readParameter(PORT_RANGE);
      writeParameter(PORT_RANGE, `${taken.port} ${taken.port}`);
      taken.undo = () => writeParameter(PORT_RANGE, before);
      const prepare = (fd: Fd) => setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
      const { client, server } = taken.sockets.pair(
        taken.sockets.listener("127.0.0.1", { port: 443, prepare }),
        "127.0.0.1",
      );
      taken.give([server]);
      taken.holders = [taken.give([client]).pid!];
    },
  },
  {
    cause: "dual-stack",
    what: "a listener on ::, asked for 0.0.0.0",
    named: /overlaps|dual/,
    asked: "0.0.0.0",
    async make(taken) {
      taken.holders = [taken.give([taken.sockets.listener("::", { port: taken.port })]).pid!];
    },
  },
  {
    cause: "v4-mapped",
    what: "a listener on ::ffff:127.0.0.1",
    named: /::ffff:/,
    async make(taken) {
      taken.holders = [taken.give([taken.sockets.listener("::ffff:127.0.0.1", { port: taken.port })]).pid!];
    },
  },
  {
    cause: "wildcard",
    what: "a listener on 127.0.0.1, asked for 0.0.0.0",
    named: /overlaps/,
    async make(taken) {
      taken.holders = [taken.give([taken.sockets.listener("127.0.0.1", { port: taken.port })]).pid!];
    },
  },
  {
    cause: "systemd-socket",
    what: "systemd-socket-activate listens",
    named: /for a service that it starts|systemd/,
    async make(taken) {
      const command = ["systemd-socket-activate", `--listen=${taken.port}`, "cat"];
      taken.holders = [taken.give([], command).pid!];
      await reaches(taken.port, "listening");
    },
  },
  {
    cause: "leftover-connections",
    what: "ESTABLISHED, the listener gone",
    named: /ESTAB|still open/,
    async make(taken) {
      taken.holders = [taken.give([taken.connection().server]).pid!];
    },
  },
];
