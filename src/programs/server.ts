/**
 * The tutorial's server, on blocking sockets of its own: socket, bind, listen(20), accept one client, read once, then
 * write to it for ever. It never closes: it ends when somebody ends it, and then the kernel closes.
 *
 * Two slips of the original are not imitated: it prints its own reply buffer as what the client said, and it writes one
 * byte past the end of it (`replyMsg[readLen] = '\0'` with readLen 20 in an array of 20).
 */
import { formatEndpoint, formatZoned, type ZonedAddress } from "../codec/address.ts";
import { encodeSockaddr, formatSockaddr } from "../codec/sockaddr.ts";
import {
  accept,
  AF_INET,
  AF_INET6,
  bind,
  EAGAIN,
  encodeLinger,
  EPIPE,
  errnoName,
  Fd,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  listen,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  poll,
  POLLOUT,
  recv,
  restoreDefaultSignal,
  setsockopt,
  shutdown,
  SHUT_WR,
  SO_LINGER,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_STREAM,
  socket,
  SOL_SOCKET,
  trySend,
  write,
} from "../sys/index.ts";
import { encodeMessage, messageText, Repetition, step, type Say } from "./steps.ts";

export interface ServerOptions extends ZonedAddress {
  port: number;
  backlog: number;
  message: string;
  /** Milliseconds between two replies; 0: the tutorial's flood. */
  replyEveryMs: number;
  /** Replies before the server closes; Infinity: it never does. */
  replies: number;
  reuseAddress: boolean;
  reusePort: boolean;
  ipv6Only: boolean;
  /** Seconds of SO_LINGER; undefined: not set. */
  lingerSeconds: number | undefined;
  /** Shut down the sending side first, and close when the client has done so too. */
  halfClose: boolean;
  /** See EPIPE, as a program that ignores SIGPIPE does, instead of dying. */
  ignoreSigpipe: boolean;
}

const SIGPIPE = 13;

/** Makes the listening socket: the steps that `bind` fails in. */
export function openListener(options: ServerOptions, say: Say): Fd {
  const { address, zone, port, backlog } = options;
  const v6 = address.length === 16;
  const fd = step(say, `socket ${v6 ? "AF_INET6" : "AF_INET"} SOCK_STREAM`, () =>
    socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0),
  );
  const set = (name: string, level: number, option: number, value: number | Uint8Array, shown: number | string = 1) =>
    step(say, `setsockopt ${name} ${shown}`, () => setsockopt(fd, level, option, value));
  if (options.reuseAddress) set("SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR, 1);
  if (options.reusePort) set("SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT, 1);
  if (options.ipv6Only) set("IPV6_V6ONLY", IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (options.lingerSeconds !== undefined) {
    set("SO_LINGER", SOL_SOCKET, SO_LINGER, encodeLinger(options.lingerSeconds), `on, ${options.lingerSeconds} s`);
  }
  const endpoint = formatEndpoint(formatZoned(options), port);
  try {
    step(say, `bind ${endpoint}`, () => bind(fd, encodeSockaddr({ address, port, scope: zone?.index ?? 0 })));
    step(say, `listen backlog ${backlog}`, () => listen(fd, backlog));
  } catch (error) {
    fd.close();
    throw error;
  }
  return fd;
}

/** Serves one client. Returns the exit status: 0, or 1 when a write failed and SIGPIPE is ignored. */
export function serve(listener: Fd, options: ServerOptions, say: Say): number {
  const { fd, peer } = accept(listener);
  say(`accept ${formatSockaddr(peer)}`);
  const received = new Uint8Array(65535);
  const length = recv(fd, received);
  say(`read ${length} bytes`);
  if (length === 0) {
    say("the client closed without a word");
    return 0;
  }
  say(`client said: ${messageText(received.subarray(0, length))}`);
  const status = reply(fd, options, say);
  if (status !== 0) return status;
  if (options.halfClose) {
    step(say, "shutdown SHUT_WR", () => shutdown(fd, SHUT_WR));
    while (recv(fd, received) > 0);
    say("the client closed");
  }
  fd.close();
  say("close ok");
  return 0;
}

function reply(fd: Fd, options: ServerOptions, say: Say): number {
  const message = encodeMessage(options.message);
  const line = `write ${message.length} bytes: ${options.message}`;
  const repetition = new Repetition(say);
  for (let sent = 0; sent < options.replies; sent++) {
    if (sent > 0 && options.replyEveryMs > 0) poll([], options.replyEveryMs);
    const result = sendOrBlock(fd, message, say, sent);
    if (result >= 0) {
      repetition.happened(line, result);
      continue;
    }
    repetition.flush(line);
    say(`write ${errnoName(-result)} (${-result})`);
    if (-result !== EPIPE) continue; // the tutorial does not look at what write returns
    if (options.ignoreSigpipe) return 1;
    say("the client has gone: this program dies of SIGPIPE, as a C program does");
    restoreDefaultSignal(SIGPIPE);
    write(fd, message);
  }
  repetition.flush(line);
  return 0;
}

/** A blocking write that says so when it has to wait: the peer does not read, and both buffers are full. */
function sendOrBlock(fd: Fd, message: Uint8Array, say: Say, sent: number): number {
  const result = trySend(fd, message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (-result !== EAGAIN) return result;
  const blockedSince = performance.now();
  const quick = poll([{ fd, events: POLLOUT }], 1000)[0] !== 0;
  if (!quick) {
    say(`write blocks after ${sent} messages: the client does not read`);
    // What wakes a write that blocks: a third of the buffer free. A little room for a message comes before that.
    poll([{ fd, events: POLLOUT }], -1);
  }
  const late = trySend(fd, message, MSG_NOSIGNAL);
  if (!quick) say(`write goes on after ${((performance.now() - blockedSince) / 1000).toFixed(1)} s`);
  return late;
}
