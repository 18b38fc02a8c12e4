/** Calls in packetdrill's notation: `bind(3, {sa_family = AF_INET, …}, 16) = -1 EADDRINUSE (Address already in use)`. */
import { dataLength, type Call, type SocketOption } from "../call/call.ts";
import type { CallResult } from "../trace/trace.ts";
import { ERROR_TEXTS } from "./error-texts.ts";
import { escapeForTerminal } from "./escape.ts";

function levelOf(option: SocketOption): string {
  if (option.startsWith("SO_")) return "SOL_SOCKET";
  if (option.startsWith("TCP_")) return "SOL_TCP";
  return option.startsWith("IPV6_") ? "SOL_IPV6" : "SOL_IP";
}

/** The notation has IPv4's addresses only. */
function addressArguments(address: string, port: number): string {
  if (address.includes(":")) return "..., ...";
  const quoted = `inet_addr("${escapeForTerminal(address)}")`;
  return `{sa_family = AF_INET, sin_port = htons(${port}), sin_addr = ${quoted}}, 16`;
}

function optionArguments(option: SocketOption, value: number): string {
  const name = `${levelOf(option)}, ${escapeForTerminal(option)}`;
  if (option !== "SO_LINGER") return `${name}, [${value}], 4`;
  return `${name}, {onoff=${value < 0 ? 0 : 1}, linger=${Math.max(0, value)}}, 8`;
}

const SHUTDOWN = { read: "SHUT_RD", write: "SHUT_WR", both: "SHUT_RDWR" };

/** `isKnown`: packetdrill has this call. What a call fills in is among its arguments: hence the result. */
export function packetdrillCall(call: Call, result: CallResult | undefined): { text: string; isKnown: boolean } {
  const known = (text: string) => ({ text, isKnown: true });
  const value = result?.ok ? result.value : "...";
  switch (call.name) {
    case "socket":
      return known(`socket(${call.family === "IPv4" ? "AF_INET" : "AF_INET6"}, SOCK_STREAM, IPPROTO_TCP)`);
    case "setsockopt":
      return known(`setsockopt(${call.fd}, ${optionArguments(call.option, call.value)})`);
    case "getsockopt":
      return known(
        `getsockopt(${call.fd}, ${levelOf(call.option)}, ${escapeForTerminal(call.option)}, [${value}], [4])`,
      );
    case "bind":
    case "connect":
      return known(`${call.name}(${call.fd}, ${addressArguments(call.address, call.port)})`);
    case "listen":
      return known(`listen(${call.fd}, ${call.backlog})`);
    case "accept":
      return known(`accept(${call.fd}, ..., ...)`);
    case "read":
      return known(`read(${call.fd}, ..., ${call.length})`);
    case "write": {
      const length = dataLength(call.data);
      return known(call.more ? `send(${call.fd}, ..., ${length}, MSG_MORE)` : `write(${call.fd}, ..., ${length})`);
    }
    case "shutdown":
      return known(`shutdown(${call.fd}, ${SHUTDOWN[call.how]})`);
    case "close":
      return known(`close(${call.fd})`);
    case "ioctl":
      return known(`ioctl(${call.fd}, ${call.request}, [${value}])`);
    case "poll": {
      const events = result?.ok ? (result.events ?? []).map((event) => `POLL${escapeForTerminal(event)}`) : [];
      return known(`poll([{fd=${call.fd}, events=..., revents=${events.join("|") || "0"}}], 1, 0)`);
    }
    case "getsockname":
      return { text: `getsockname(${call.fd}, ..., ...)`, isKnown: false };
    case "fork":
      return { text: `fork() as ${escapeForTerminal(call.child)}`, isKnown: false };
    case "setuid":
      return { text: `setuid(${call.uid})`, isKnown: false };
    case "exit":
      return { text: call.by === "exit" ? `exit(${call.status})` : `return ${call.status}`, isKnown: false };
  }
}

/** What stands behind the `=`. */
export function packetdrillAnswer(call: Call, result: CallResult): string {
  if (!result.ok) {
    const code = /^E[A-Z0-9]+$/.test(result.code) ? result.code : `E${result.errno}`;
    return `-1 ${code} (${ERROR_TEXTS[code] ?? `Unknown error ${result.errno}`})`;
  }
  // Their values are among their arguments.
  if (call.name === "getsockopt" || call.name === "ioctl") return "0";
  if (call.name === "poll") return result.events && result.events.length > 0 ? "1" : "0";
  return String(result.value);
}
