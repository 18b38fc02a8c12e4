/** One request to one host, all facts known: what Linux answers, and what there is afterwards. */
import type { Call, Family } from "../call/call.ts";
import { canonical } from "./address.ts";
import { granted, refused, type Answer } from "./answer.ts";
import { bind, listen } from "./bind.ts";
import { connect, type Choice } from "./connect.ts";
import { accept, close, shutdown } from "./connection.ts";
import { draftOf, socketOf, type Draft, type DraftSocket } from "./draft.ts";
import { asOf, hasOption } from "./systems.ts";
import { newSocket, type State } from "./state.ts";

type OnSocket<C> = C extends { fd: number } ? Omit<C, "fd"> & { socket: string } : never;

/** The socket calls, with sockets by their names where a process has descriptors. */
export type Request =
  /** `uid`: the effective one of the process, 0 without. */
  | { name: "socket"; socket: string; family: Family; uid?: number }
  | OnSocket<Extract<Call, { name: "setsockopt" | "bind" | "listen" | "connect" | "close" | "shutdown" }>>
  /** `as` names the connection. */
  | { name: "accept"; socket: string; as: string; uid?: number };

function setOption(draft: Draft, socket: DraftSocket, request: Request & { name: "setsockopt" }): Answer {
  const { option, value } = request;
  const isOn = value !== 0;
  if (!hasOption(draft.host.system, option)) return refused("ENOPROTOOPT", "no such option");
  if (option === "SO_REUSEADDR") socket.reuseAddress = isOn;
  else if (option === "SO_REUSEPORT") socket.reusePort = isOn;
  else if (option === "SO_LINGER") socket.aborts = value === 0;
  else if (option === "IP_BIND_ADDRESS_NO_PORT") socket.bindAddressNoPort = isOn;
  else if (option === "SO_BINDTOIFINDEX") return setDevice(draft, socket, value);
  else if (option === "IPV6_V6ONLY") {
    if (socket.family === "IPv4") return refused("ENOPROTOOPT", "no IPv6 option");
    if (socket.port !== 0) return refused("EINVAL", "bound before IPV6_V6ONLY");
    socket.ipv6Only = isOn;
  } else if (option === "IP_LOCAL_PORT_RANGE") {
    const low = value & 0xffff;
    const high = value >>> 16;
    if (low !== 0 && high !== 0 && low > high) return refused("EINVAL", "range reversed");
    socket.localPortRange = [low, high];
  }
  return granted("done");
}

/** Devices by number: 0 for none, then in the order in which the host's addresses name them. */
export function devicesOf({ host }: { host: State["host"] }): string[] {
  return ["", ...new Set(host.addresses.map(({ device }) => device))];
}

function setDevice(draft: Draft, socket: DraftSocket, index: number): Answer {
  const device = devicesOf(draft)[index];
  if (device === undefined) return refused("ENODEV", "no such device");
  socket.device = device;
  return granted("done");
}

function addressIn(request: { address: string }): string {
  const address = canonical(request.address);
  if (address === undefined) throw new TypeError(`'${request.address}' is not an IP address`);
  return address;
}

function requireNew(draft: Draft, id: string): void {
  if (draft.sockets.has(id)) throw new TypeError(`there is a socket ${id} already`);
}

/** Makes the request on a state in the making. */
export function perform(draft: Draft, request: Request, choice: Choice): Answer {
  if (request.name === "socket") {
    requireNew(draft, request.socket);
    const { socket: id, family, uid } = request;
    draft.sockets.set(id, { ...newSocket(draft.host, id, family, uid), queue: [] });
    return granted("done");
  }
  const socket = socketOf(draft, request.socket);
  switch (request.name) {
    case "setsockopt":
      return setOption(draft, socket, request);
    case "bind":
      return bind(draft, socket, addressIn(request), request.port, choice.port);
    case "listen":
      return listen(draft, socket, request.backlog, choice.port);
    case "connect":
      return connect(draft, socket, { address: addressIn(request), port: request.port }, choice);
    case "accept":
      requireNew(draft, request.as);
      return accept(draft, socket, request.as, request.uid ?? 0);
    case "shutdown":
      return shutdown(draft, socket, request.how);
    case "close":
      return close(draft, socket);
  }
}

/** {@link step} where everything is known. */
export function stepExactly(state: State, request: Request, choice: Choice): { state: State; answer: Answer } {
  const draft = draftOf(state);
  const answer = asOf(draft.host.system, perform(draft, request, choice));
  return { state: draft, answer };
}
