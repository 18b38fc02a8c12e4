/** The tutorial's client, on a blocking socket of its own: connect, write 20 bytes, read until the server closes. */
import { formatEndpoint, formatZoned, type ZonedAddress } from "../codec/address.ts";
import { encodeSockaddr, formatSockaddr } from "../codec/sockaddr.ts";
import {
  AF_INET,
  AF_INET6,
  bind,
  connect,
  encodeLinger,
  Fd,
  getsockname,
  MSG_NOSIGNAL,
  poll,
  recv,
  send,
  setsockopt,
  shutdown,
  SHUT_WR,
  SO_LINGER,
  SOCK_STREAM,
  socket,
  SOL_SOCKET,
  SyscallError,
} from "../sys/index.ts";
import { encodeMessage, messageText, Repetition, step, StepFailed, type Say } from "./steps.ts";

interface End extends ZonedAddress {
  port: number;
}

/** The address and the port are the server's. */
export interface ClientOptions extends End {
  /** Bind to this address and port before connecting. */
  from: End | undefined;
  message: string;
  /** Before each read: the `sleep(1)` that the tutorial has in a comment. */
  sleepMs: number;
  /** Never read: the server's data fills the buffers. */
  noRead: boolean;
  /** Do not close after the server has: CLOSE-WAIT. */
  noClose: boolean;
  /** Shut down the sending side after the message. */
  halfClose: boolean;
  /** Seconds of SO_LINGER; undefined: not set. */
  lingerSeconds: number | undefined;
}

const encodeEnd = ({ address, zone, port }: End) => encodeSockaddr({ address, port, scope: zone?.index ?? 0 });
const endText = (end: End) => formatEndpoint(formatZoned(end), end.port);

/** Runs until the server closes, or for ever with `noRead` and `noClose`. Throws `StepFailed` or `SyscallError`. */
export function runClient(options: ClientOptions, say: Say): void {
  const v6 = options.address.length === 16;
  const fd = step(say, `socket ${v6 ? "AF_INET6" : "AF_INET"} SOCK_STREAM`, () =>
    socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0),
  );
  const { from, lingerSeconds } = options;
  if (lingerSeconds !== undefined) {
    step(say, `setsockopt SO_LINGER on, ${lingerSeconds} s`, () =>
      setsockopt(fd, SOL_SOCKET, SO_LINGER, encodeLinger(lingerSeconds)),
    );
  }
  if (from) step(say, `bind ${endText(from)}`, () => bind(fd, encodeEnd(from)));
  step(say, `connect ${endText(options)}`, () => connect(fd, encodeEnd(options)));
  say(`connected from ${formatSockaddr(getsockname(fd))}`);
  const message = encodeMessage(options.message);
  step(say, `write ${message.length} bytes: ${options.message}`, () => send(fd, message, MSG_NOSIGNAL));
  if (options.halfClose) step(say, "shutdown SHUT_WR", () => shutdown(fd, SHUT_WR));
  if (options.noRead) {
    say("reads nothing, until it is ended");
    poll([], -1);
  }
  readAll(fd, options, say);
  if (options.noClose) {
    say("does not close, until it is ended: CLOSE-WAIT");
    poll([], -1);
  }
  fd.close();
  say("close ok");
}

function readAll(fd: Fd, { sleepMs }: ClientOptions, say: Say): void {
  const received = new Uint8Array(65535);
  const repetition = new Repetition(say);
  let line = "";
  for (;;) {
    if (sleepMs > 0) poll([], sleepMs);
    let length: number;
    try {
      length = recv(fd, received);
    } catch (error) {
      repetition.flush(line);
      throw error instanceof SyscallError ? new StepFailed("read", error) : error;
    }
    if (length === 0) break;
    line = `server said: ${messageText(received.subarray(0, length))}`;
    repetition.happened(line, length);
  }
  repetition.flush(line);
  say("server closed");
}
