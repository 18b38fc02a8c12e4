/** A trace as a capture file for Wireshark: an interface for each host, and comments on packets for all the rest. */
import { fromHex } from "../codec/hex.ts";
import { readHopsLeft, setHopsLeft } from "../codec/ip.ts";
import {
  directionOption,
  encodePcapng,
  LINKTYPE_RAW,
  microsecondsOption,
  PCAPNG_OPTION,
  textOption,
  type PcapngInterface,
  type PcapngOption,
  type PcapngPacket,
} from "../codec/pcapng.ts";
import type { Trace, TraceHost } from "../trace/trace.ts";
import { commentOnFrames } from "./capture-comments.ts";
import { framesOf, type Frame } from "./capture-frames.ts";
import { escapeForTerminal } from "./escape.ts";

const NO_LIMIT = 0;

function commentOptions(comments: readonly string[]): PcapngOption[] {
  return comments.map((text) => textOption(PCAPNG_OPTION.comment, text));
}

/** The frame's bytes; one that arrives has passed the wire, which is a router. */
function bytesOf({ event, record, direction }: Frame): Uint8Array {
  const bytes = fromHex(record.bytes);
  if (!bytes) throw new RangeError(`segment ${event.segment} of the trace is not hexadecimal`);
  if (direction === "inbound") setHopsLeft(bytes, readHopsLeft(bytes) - 1);
  return bytes;
}

function interfaceOf({ name, addresses }: TraceHost): PcapngInterface {
  const { interface: code } = PCAPNG_OPTION;
  return {
    kind: "interface",
    linkType: LINKTYPE_RAW,
    snapLength: NO_LIMIT,
    options: [
      textOption(code.name, escapeForTerminal(name)),
      textOption(code.description, escapeForTerminal(addresses.join(", "))),
      microsecondsOption(),
    ],
  };
}

export interface CaptureOptions {
  /** Whose interface to capture on: what it sent, and what came to it when it came. All hosts', without. */
  host?: string;
}

/**
 * The trace as a pcapng file, with an interface for each host. A packet stands there as it was sent, on its sender's
 * interface. Where the wire saw to it that what arrived is another packet (modified, a copy) or came at another time
 * (held and released, delayed), that is a packet on the receiver's interface, with one hop less to go. What the wire did,
 * and what the hosts' sockets and processes did meanwhile, is in the comments of packets. `startedAtUs`: when the run
 * began, in microseconds since 1970.
 *
 * Throws a RangeError if the trace has no such `host`, or contradicts itself (a packet that is not hexadecimal, a host
 * that it does not list).
 */
export function toPcapng(trace: Trace, startedAtUs: bigint, { host }: CaptureOptions = {}): Uint8Array {
  const hosts = trace.hosts.filter(({ name }) => host === undefined || name === host);
  if (host !== undefined && hosts.length === 0) throw new RangeError(`the trace has no host named "${host}"`);
  const seen = framesOf(trace.events, host);
  const comments = commentOnFrames(trace, seen, host);
  const interfaces = new Map(hosts.map(({ name }, i) => [name, i]));
  const packets = seen.frames.map((frame): PcapngPacket => {
    const place = interfaces.get(frame.host);
    if (place === undefined) throw new RangeError(`the trace does not list its host ${frame.host}`);
    return {
      kind: "packet",
      interface: place,
      timestamp: startedAtUs + BigInt(Math.round(frame.event.tUs)),
      length: frame.record.length,
      bytes: bytesOf(frame),
      options: [...commentOptions(frame.comments), directionOption(frame.direction)],
    };
  });
  const { os, application } = PCAPNG_OPTION.section;
  const system = [textOption(os, escapeForTerminal(trace.system)), textOption(application, "lastack")];
  return encodePcapng([
    { kind: "section", options: [...commentOptions(comments), ...system] },
    ...hosts.map(interfaceOf),
    ...packets,
  ]);
}
