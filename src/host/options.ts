/** setsockopt and getsockopt (net/core/sock.c, net/ipv4/ip_sockglue.c, net/ipv4/tcp.c). */
import { devicesOf } from "../bind/requests.ts";
import type { Result, SocketOption } from "../call/call.ts";
import type { Connection, Settings } from "../tcp/index.ts";
import { followChange } from "./connections.ts";
import { socketToChange, type Host, type Process, type SocketOptions } from "./host.ts";
import { numberOf, numbersOf } from "./parameters.ts";
import { askPorts } from "./open.ts";
import { failure, success } from "./result.ts";

const MAX_HOPS = 255;
const MAX_FIN_TIMEOUT_S = 120;
/** SOCK_MIN_RCVBUF and SOCK_MIN_SNDBUF, without the half that is overhead, to the next power of two. */
const MIN_BUFFER = 1024;

function changeOptions(host: Host, id: string, more: Partial<SocketOptions>): Result {
  const socket = socketToChange(host, id);
  socket.options = { ...socket.options, ...more };
  return success();
}

/** Changes the settings of a connection that exists. */
function changeConnection(host: Host, id: string, more: Partial<Settings>, then: (c: Connection) => void): void {
  const socket = socketToChange(host, id);
  const c = socket.connection;
  if (c === null) return;
  socket.connection = { ...c, settings: { ...c.settings, ...more } };
  then(socket.connection);
  followChange(host, socket, c.state);
}

/** TCP_QUICKACK: an ACK that is owed goes at once (tcp_sock_set_quickack). */
function setQuickAck(host: Host, id: string, isOn: boolean): Result {
  changeConnection(host, id, {}, (c) => {
    c.interactive = !isOn;
    if (isOn && c.delayedAckAtUs !== null) c.ackNow = true;
  });
  return success();
}

export function setOption(host: Host, process: Process, id: string, option: SocketOption, value: number): Result {
  switch (option) {
    case "SO_LINGER":
      changeOptions(host, id, { lingerS: value < 0 ? null : value });
      return askPorts(host, process, { name: "setsockopt", socket: id, option, value });
    case "SO_RCVBUF":
      return changeOptions(host, id, { receiveBuffer: Math.max(MIN_BUFFER, value) });
    case "SO_SNDBUF":
      return changeOptions(host, id, { sendBuffer: Math.max(MIN_BUFFER, value) });
    case "IP_TTL":
      if (value !== -1 && (value < 1 || value > MAX_HOPS)) return failure("EINVAL");
      return changeOptions(host, id, { hops: value === -1 ? null : value });
    case "TCP_NODELAY":
      // What may wait no longer goes at once (tcp_sock_set_nodelay).
      changeConnection(host, id, { noDelay: value !== 0 }, (c) => {
        if (value !== 0) c.held = false;
      });
      return changeOptions(host, id, { noDelay: value !== 0 });
    case "TCP_LINGER2":
      return changeOptions(host, id, {
        finTimeoutS: value === 0 ? null : Math.max(-1, Math.min(MAX_FIN_TIMEOUT_S, value)),
      });
    case "TCP_QUICKACK":
      return setQuickAck(host, id, value !== 0);
    case "SO_ERROR":
      return failure("ENOPROTOOPT");
    case "SO_REUSEADDR":
    case "SO_REUSEPORT":
    case "SO_BINDTOIFINDEX":
    case "IPV6_V6ONLY":
    case "IP_BIND_ADDRESS_NO_PORT":
    case "IP_LOCAL_PORT_RANGE":
      return askPorts(host, process, { name: "setsockopt", socket: id, option, value });
  }
}

export function getOption(host: Host, id: string, option: SocketOption): Result {
  const { options, connection } = host.sockets.get(id)!;
  const port = host.ports.sockets.get(id)!;
  const flag = (value: boolean | undefined) => success(value ? 1 : 0);
  switch (option) {
    case "SO_ERROR": {
      const socket = socketToChange(host, id);
      const { error } = socket;
      socket.error = 0;
      return success(error);
    }
    case "SO_LINGER":
      return success(options.lingerS ?? -1);
    case "SO_RCVBUF":
      return success(
        options.receiveBuffer === null
          ? numbersOf(host.parameters, "net.ipv4.tcp_rmem")[1]!
          : 2 * options.receiveBuffer,
      );
    case "SO_SNDBUF":
      return success(
        options.sendBuffer === null ? numbersOf(host.parameters, "net.ipv4.tcp_wmem")[1]! : 2 * options.sendBuffer,
      );
    case "IP_TTL":
      return success(options.hops ?? numberOf(host.parameters, "net.ipv4.ip_default_ttl"));
    case "TCP_NODELAY":
      return flag(options.noDelay);
    case "TCP_LINGER2":
      return success(options.finTimeoutS ?? numberOf(host.parameters, "net.ipv4.tcp_fin_timeout"));
    case "TCP_QUICKACK":
      return flag(!connection?.interactive);
    case "SO_REUSEADDR":
      return flag(port.reuseAddress);
    case "SO_REUSEPORT":
      return flag(port.reusePort);
    case "SO_BINDTOIFINDEX":
      return success(devicesOf(host.ports).indexOf(port.device));
    case "IPV6_V6ONLY":
      return port.family === "IPv6" ? flag(port.ipv6Only) : failure("EOPNOTSUPP");
    case "IP_BIND_ADDRESS_NO_PORT":
      return flag(port.bindAddressNoPort);
    case "IP_LOCAL_PORT_RANGE":
      return success(port.localPortRange[0] + 65_536 * port.localPortRange[1]);
  }
}
