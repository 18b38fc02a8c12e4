/** The NETLINK_SOCK_DIAG client: lists, looks up and ends TCP sockets of the calling thread's network namespace. */
import { describeDecodeError, type Decoded } from "../codec/decoded.ts";
import {
  decodeInetDiagMessage,
  encodeDestroyRequest,
  encodeDumpRequest,
  encodeLookupRequest,
  type DumpRequest,
  type InetDiagMessage,
  type SocketId,
} from "../codec/inet-diag.ts";
import { decodeNetlinkAnswer, decodeNetlinkMessages, NLMSG_ERROR, type NetlinkMessage } from "../codec/nlmsg.ts";
import {
  AF_NETLINK,
  errnoNumber,
  Fd,
  NETLINK_SOCK_DIAG,
  recv,
  send,
  sendMeanwhile,
  SOCK_RAW,
  socket,
  SyscallError,
} from "../sys/index.ts";
import { Dump, type Slab } from "./dump.ts";
import { NetlinkError } from "./netlink-error.ts";

/** How often a dump that the kernel calls inconsistent is made again before its last answer is taken, and marked. */
const ATTEMPTS = 5;

function must<T>(result: Decoded<T>): T {
  if (!result.ok) throw new Error(`the kernel's answer is malformed: ${describeDecodeError(result.error)}`);
  return result.value;
}

function refusal(request: string, message: NetlinkMessage): NetlinkError {
  const { errno, text } = must(decodeNetlinkAnswer(message));
  return new NetlinkError(request, errno, text);
}

export class SockDiag {
  readonly #fd: Fd;
  readonly #answer = new Uint8Array(8192);
  #seq = 0;
  #begun = false;

  /** Throws `SyscallError` where netlink is denied (seccomp, a sandbox). */
  constructor() {
    this.#fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
  }

  /**
   * Begins with a dump on another thread, while this one goes on: the kernel walks its tables before send(2) returns. The
   * same request is then to be given to {@link dump}.
   */
  async begin(request: Omit<DumpRequest, "seq">): Promise<void> {
    this.#begun = await sendMeanwhile(this.#fd, encodeDumpRequest({ ...request, seq: ++this.#seq }));
  }

  /**
   * Lists sockets. An answer during which the table changed is asked for again, up to five times; `interrupted` says
   * that even the last one may lack rows. Throws `NetlinkError` where the kernel refuses.
   */
  dump(request: Omit<DumpRequest, "seq">): { slabs: Slab[]; interrupted: boolean } {
    for (let attempt = 1; ; attempt++) {
      const answer = this.#dumpOnce(request);
      if (answer && (!answer.interrupted || attempt === ATTEMPTS)) return answer;
      if (attempt === ATTEMPTS) throw new NetlinkError("dump of TCP sockets", errnoNumber("ENOBUFS"));
    }
  }

  /** undefined: messages were lost. */
  #dumpOnce(request: Omit<DumpRequest, "seq">): { slabs: Slab[]; interrupted: boolean } | undefined {
    if (!this.#begun) send(this.#fd, encodeDumpRequest({ ...request, seq: ++this.#seq }));
    this.#begun = false;
    const dump = new Dump(this.#seq);
    for (let lost = false; ;) {
      const room = dump.room();
      let received: number;
      try {
        received = recv(this.#fd, room);
      } catch (error) {
        // ENOBUFS: the kernel dropped part of the answer; what is still queued must be read before the next request.
        if (!(error instanceof SyscallError) || error.code !== "ENOBUFS") throw error;
        lost = true;
        continue;
      }
      const status = dump.accept(received);
      switch (status.kind) {
        case "more":
          continue;
        case "done":
          return lost ? undefined : { slabs: dump.slabs, interrupted: status.interrupted };
        case "overrun":
          return undefined;
        case "refused":
          throw refusal("dump of TCP sockets", must(decodeNetlinkMessages(room.subarray(0, received))).at(-1)!);
        case "malformed":
          throw new Error(
            `the kernel's answer is malformed at byte ${status.offset}: expected ${status.need}, found ${status.have}`,
          );
      }
    }
  }

  /** The one socket with this id, or undefined. An id without cookie has `INET_DIAG_NOCOOKIE`. */
  lookup(family: 2 | 10, id: SocketId, extensions: readonly number[] = []): InetDiagMessage | undefined {
    const seq = ++this.#seq;
    const answer = this.#exchange(encodeLookupRequest({ family, id, extensions, seq }), seq);
    if (answer.type !== NLMSG_ERROR) return must(decodeInetDiagMessage(answer.payload));
    const error = refusal("look-up of a TCP socket", answer);
    if (error.code === "ENOENT") return undefined;
    throw error;
  }

  /** Ends the one socket with this id. Throws `NetlinkError`: ENOENT if there is none, EPERM without CAP_NET_ADMIN. */
  destroy(family: 2 | 10, id: SocketId): void {
    const seq = ++this.#seq;
    const answer = this.#exchange(encodeDestroyRequest({ family, id, seq }), seq);
    const error = refusal("destroying a TCP socket", answer);
    if (error.errno !== 0) throw error;
  }

  #exchange(request: Uint8Array, seq: number): NetlinkMessage {
    send(this.#fd, request);
    for (;;) {
      // A copy: what is made of it outlives the next answer.
      const bytes = this.#answer.slice(0, recv(this.#fd, this.#answer));
      const messages = must(decodeNetlinkMessages(bytes));
      const answer = messages.find((message) => message.seq === seq);
      if (answer) return answer;
    }
  }

  close(): void {
    this.#fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
