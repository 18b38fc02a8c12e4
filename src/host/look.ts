/** The sockets of a host as sock_diag would list them. */
import type { Endpoint } from "../call/call.ts";
import type { TcpState } from "../codec/state.ts";
import { finReceived, type Connection } from "../tcp/index.ts";
import { plain } from "./connections.ts";
import type { Host, HostSocket } from "./host.ts";
import { unacknowledged } from "./stream.ts";

export interface SocketView {
  id: string;
  state: TcpState;
  local: Endpoint;
  peer: Endpoint;
  timer: { kind: "retransmit" | "timewait" | "persist"; atUs: number } | null;
  /** How often in a row its timer has gone off without an answer. */
  retransmits: number;
  /** Bytes received and not read, and written and not acknowledged, where a FIN counts; of a listener: connections. */
  queues: { receive: number; send: number };
  /** A process has it. */
  owned: boolean;
}

function timerOf(c: Connection): SocketView["timer"] {
  if (c.expireAtUs !== null) return { kind: "timewait", atUs: c.expireAtUs };
  if (c.persistAtUs !== null) return { kind: "persist", atUs: c.persistAtUs };
  if (c.retransmitAtUs !== null) return { kind: "retransmit", atUs: c.retransmitAtUs };
  return null;
}

function seeConnection(socket: HostSocket, c: Connection): SocketView {
  const { id, local, peer, references, endRead } = socket;
  const rests = c.state === "TIME-WAIT" || (c.state === "FIN-WAIT-2" && c.orphaned);
  const fin = finReceived(c) && !endRead ? 1 : 0;
  return {
    // A TIME-WAIT that its socket has left behind is still called by that one's name.
    id: id.split("/")[0]!,
    state: c.state,
    local,
    peer,
    timer: timerOf(c),
    retransmits: c.retransmits,
    queues: rests ? { receive: 0, send: 0 } : { receive: c.receiveLength + fin, send: unacknowledged(c) },
    owned: references > 0 && c.state !== "TIME-WAIT",
  };
}

function seeBound(host: Host, { id, references }: HostSocket): SocketView | undefined {
  const port = host.ports.sockets.get(id);
  if (!port || port.port === 0) return undefined;
  const isListener = port.state === "LISTEN";
  return {
    id,
    state: isListener ? "LISTEN" : "BOUND",
    local: { address: plain(port.address), port: port.port },
    peer: { address: isListener && port.family === "IPv6" ? "::" : "0.0.0.0", port: 0 },
    timer: null,
    retransmits: 0,
    queues: isListener ? { receive: port.queue.length, send: port.backlog } : { receive: 0, send: 0 },
    owned: references > 0,
  };
}

/** The sockets that there are, in the order in which they were made: connections, listeners, and what has a port only. */
export function* seeSockets(host: Host): Generator<SocketView> {
  for (const socket of host.sockets.values()) {
    const { connection } = socket;
    const seen =
      connection && connection.state !== "CLOSED" ? seeConnection(socket, connection) : seeBound(host, socket);
    if (seen) yield seen;
  }
}
