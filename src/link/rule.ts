/** The rules of the wire, as data: which segments, and what becomes of them. */
import { flagBits, type TcpFlag } from "../codec/tcp.ts";
import type { LinkSegment } from "./segment.ts";

/** Which segments; all that is given must hold. */
export interface Match {
  /** The host that sends it. */
  from?: string;
  to?: string;
  /** Flags that are all set. */
  has?: readonly TcpFlag[];
  /** Flags of which none is set. */
  lacks?: readonly TcpFlag[];
  /** Whether it carries data; or a text that its data contain. */
  payload?: boolean | string;
  /** Relative sequence numbers, half open: the segment begins at `from` or later and before `to`. */
  seq?: { from: number; to: number };
  /** Either port. */
  port?: number;
}

/** What is changed in a segment; its checksums are computed anew. */
export interface Change {
  set?: readonly TcpFlag[];
  clear?: readonly TcpFlag[];
  seqBy?: number;
  ackBy?: number;
  window?: number;
  hops?: number;
  payload?: string;
}

export type Action =
  | { do: "drop" }
  /** Kept under a name until it is released. */
  | { do: "hold"; as: string }
  /** It passes; a copy is kept under a name: an old duplicate in the making. */
  | { do: "copy"; as: string }
  | { do: "delay"; byUs: number }
  /** It arrives once more for each of `copies`. */
  | { do: "duplicate"; copies: number }
  /** It arrives after so many others that its host sends later. */
  | { do: "reorder"; behind: number }
  | { do: "modify"; change: Change };

export interface Rule {
  /** What the trace calls it. */
  name: string;
  match: Match;
  action: Action;
  /** How many that match are let pass first: 2 for "the third". */
  skip?: number;
  /** To how many it is applied; no limit without. */
  times?: number;
}

function containsText(payload: Uint8Array, text: string): boolean {
  return new TextDecoder("latin1").decode(payload).includes(text);
}

export function matches(match: Match, segment: LinkSegment): boolean {
  const { tcp } = segment.packet;
  if (match.from !== undefined && match.from !== segment.from) return false;
  if (match.to !== undefined && match.to !== segment.to) return false;
  const has = flagBits(match.has ?? []);
  if ((tcp.flags & has) !== has || tcp.flags & flagBits(match.lacks ?? [])) return false;
  if (typeof match.payload === "boolean" && match.payload !== tcp.payload.length > 0) return false;
  if (typeof match.payload === "string" && !containsText(tcp.payload, match.payload)) return false;
  if (match.seq && (segment.relativeSeq < match.seq.from || segment.relativeSeq >= match.seq.to)) return false;
  return match.port === undefined || match.port === tcp.sourcePort || match.port === tcp.destinationPort;
}
