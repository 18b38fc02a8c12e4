/**
 * A process that only makes calls: what the lab starts where a process's death, its children or its user are the point.
 * It blocks until it is asked for the next call.
 */
import type { Call } from "../../call/call.ts";
import { dieWithParent } from "../../linux/parent.ts";
import { exitNow, Fd, recv, send, setresuid, SyscallError } from "../../sys/index.ts";
import { errnoName } from "../../call/errno.ts";
import {
  CHANNEL_FD,
  decodeMessage,
  encodeMessage,
  toReply,
  type ChildReply,
  type ChildRequest,
} from "./child-protocol.ts";
import { SocketCalls, WOULD_BLOCK, type Performed } from "./socket-calls.ts";

const MAX_MESSAGE = 1 << 18;

function setUid(uid: number): Performed {
  try {
    setresuid(uid, uid, uid);
    return { result: { ok: true, value: 0 } };
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    return { result: { ok: false, errno: error.errno, code: errnoName(error.errno) } };
  }
}

/**
 * Runs the child until it is told to end, killed, or left alone by the lab. `descriptors` are what it inherits, as pairs
 * of the process's number and the kernel's. Returns to return from main.
 */
export function runChild(descriptors: ReadonlyMap<number, number>): void {
  dieWithParent();
  const channel = new Fd(CHANNEL_FD);
  const calls = new SocketCalls(undefined, descriptors);
  const blocked = new Map<number, Call>();
  const buffer = new Uint8Array(MAX_MESSAGE);
  const reply = (message: ChildReply) => void send(channel, encodeMessage(message));
  reply({ is: "ready" });
  for (let length: number; (length = recv(channel, buffer)) > 0;) {
    const request = decodeMessage<ChildRequest>(buffer.subarray(0, length));
    if (request.do === "descriptors") {
      reply({ is: "descriptors", descriptors: [...calls.descriptors] });
      continue;
    }
    const { id } = request;
    const call = blocked.get(id) ?? request.call;
    blocked.set(id, call);
    if (call.name === "exit") {
      if (call.by === "return") {
        process.exitCode = call.status;
        return;
      }
      exitNow(call.status);
    }
    const performed = call.name === "setuid" ? setUid(call.uid) : calls.perform(call);
    if (performed.result !== WOULD_BLOCK) blocked.delete(id);
    reply(toReply(performed));
  }
}
