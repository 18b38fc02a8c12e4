/** What the lab and a child that makes calls for it say to each other: one JSON document a message. */
import { fromHex, toHex } from "../../codec/hex.ts";
import type { Call, Result } from "../../call/call.ts";
import { WOULD_BLOCK, type Performed } from "./socket-calls.ts";

/** Where the child finds its end of the channel; descriptors that it inherits come behind it. */
export const CHANNEL_FD = 3;

export type ChildRequest =
  | { do: "call"; call: Call; /** The same number again: go on with a call that would have blocked. */ id: number }
  | { do: "descriptors" };

export type ChildReply =
  | { is: "ready" }
  | { is: "performed"; result: (Result & { hex?: string }) | null; cookie?: string }
  /** `[number of the process, number of the kernel]`. */
  | { is: "descriptors"; descriptors: [number, number][] };

export function encodeMessage(message: ChildRequest | ChildReply): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(message));
}

export function decodeMessage<T extends ChildRequest | ChildReply>(bytes: Uint8Array): T {
  return JSON.parse(new TextDecoder().decode(bytes)) as T;
}

/** Bytes don't go through JSON; hexadecimal digits do. */
export function toReply({ result, cookie }: Performed): ChildReply {
  const more = cookie !== undefined && { cookie };
  if (result === WOULD_BLOCK) return { is: "performed", result: null, ...more };
  if (!result.ok || !result.bytes) return { is: "performed", result, ...more };
  const { bytes, ...rest } = result;
  return { is: "performed", result: { ...rest, hex: toHex(bytes) }, ...more };
}

export function fromReply({ result, cookie }: ChildReply & { is: "performed" }): Performed {
  const more = cookie !== undefined && { cookie };
  if (result === null) return { result: WOULD_BLOCK, ...more };
  const { hex, ...rest } = result;
  return { result: hex === undefined ? rest : ({ ...rest, bytes: fromHex(hex)! } as Result), ...more };
}
