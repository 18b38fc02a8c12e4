/** bind(2) and listen(2) (net/ipv4/af_inet.c, net/ipv6/af_inet6.c). */
import { matchesPrefix, parseIp } from "../codec/address.ts";
import { granted, refused, type Answer } from "./answer.ts";
import { asIpv4, isIpv6, isMapped, isMulticast, wildcardOf } from "./address.ts";
import type { Draft, DraftSocket } from "./draft.ts";
import { getPort } from "./get-port.ts";
import type { Host, LocalAddress } from "./state.ts";

/** True for an address in the network of `own` with this prefix; without one, for that address alone. */
export function isIn(own: LocalAddress, prefix: number | undefined, address: string): boolean {
  const bytes = parseIp(address)!;
  const ownBytes = parseIp(own.address)!;
  return bytes.length === ownBytes.length && matchesPrefix(bytes, ownBytes, prefix ?? 8 * bytes.length);
}

/** The host's own address that `address` is, or is in the network of; of this device where one is given. */
export function localAddress({ addresses }: Host, address: string, device = ""): LocalAddress | undefined {
  return addresses.find((own) => (device === "" || device === own.device) && isIn(own, own.prefix, address));
}

/** inet_addr_valid_or_nonlocal, ipv6_chk_addr */
function mayBindTo(host: Host, address: string, device: string): boolean {
  if (host.nonlocalBind || address === "0.0.0.0" || address === "::" || isMulticast(address)) return true;
  return address === "255.255.255.255" || localAddress(host, address, device) !== undefined;
}

const isBusy = ({ state, port }: DraftSocket) => state !== "CLOSED" || port !== 0;

function isPrivileged({ host }: Draft, port: number): boolean {
  return port !== 0 && port < host.unprivilegedPortStart && !host.mayBindPrivileged;
}

/** Why bind is refused before any other socket is looked at, in __inet_bind's order. */
function refusalIpv4(draft: Draft, socket: DraftSocket, address: string, port: number): Answer | undefined {
  if (isIpv6(address)) return refused("EAFNOSUPPORT", "IPv6 address for IPv4");
  if (!mayBindTo(draft.host, address, "")) return refused("EADDRNOTAVAIL", "not local");
  if (isPrivileged(draft, port)) return refused("EACCES", "privileged");
  return isBusy(socket) ? refused("EINVAL", "bound already") : undefined;
}

/** In __inet6_bind's order. */
function refusalIpv6(draft: Draft, socket: DraftSocket, address: string, port: number): Answer | undefined {
  if (!isIpv6(address)) return refused("EINVAL", "IPv4 address for IPv6");
  if (isMulticast(address)) return refused("EINVAL", "multicast stream");
  if (isPrivileged(draft, port)) return refused("EACCES", "privileged");
  if (isBusy(socket)) return refused("EINVAL", "bound already");
  const mapped = isMapped(address);
  if (mapped && socket.ipv6Only) return refused("EINVAL", "mapped but v6 only");
  const isLocal = mapped ? mayBindTo(draft.host, asIpv4(address), "") : mayBindTo(draft.host, address, socket.device);
  return isLocal ? undefined : refused("EADDRNOTAVAIL", "not local (IPv6)");
}

export function bind(
  draft: Draft,
  socket: DraftSocket,
  address: string,
  port: number,
  wanted: number | undefined,
): Answer {
  const refuse = socket.family === "IPv4" ? refusalIpv4 : refusalIpv6;
  const refusal = refuse(draft, socket, address, port);
  if (refusal) return refusal;
  const { ipv6Only } = socket;
  socket.address = address;
  if (socket.family === "IPv6" && address !== "::" && !isMapped(address)) socket.ipv6Only = true;
  let answer = granted("address only");
  if (port !== 0 || !socket.bindAddressNoPort) {
    answer = getPort(draft, socket, port, wanted);
    if (answer.outcome === "refused") {
      socket.address = wildcardOf(socket.family);
      socket.ipv6Only = ipv6Only;
      return answer;
    }
  }
  if (address !== wildcardOf(socket.family)) socket.lockedAddress = true;
  if (port !== 0) socket.lockedPort = true;
  return { ...answer, address };
}

/** inet_listen, inet_csk_listen_start: the port is asked for once more, by a socket that listens now. */
export function listen(draft: Draft, socket: DraftSocket, backlog: number, wanted: number | undefined): Answer {
  if (socket.wasConnected || (socket.state !== "CLOSED" && socket.state !== "LISTEN")) {
    return refused("EINVAL", "cannot listen");
  }
  socket.backlog = backlog;
  if (socket.state === "LISTEN") return granted("listens already");
  socket.state = "LISTEN";
  const answer = getPort(draft, socket, socket.port, wanted);
  if (answer.outcome === "refused") socket.state = "CLOSED";
  return { ...answer, address: socket.address };
}
