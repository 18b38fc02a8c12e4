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

/** The frame's bytes; one that was delivered has passed the wire, which is a router. */
function bytesOf({ event, record }: Frame): Uint8Array {
  const bytes = fromHex(record.bytes);
  if (!bytes) throw new RangeError(`segment ${event.segment} of the trace is not hexadecimal`);
  if (event.fate === "delivered") setHopsLeft(bytes, readHopsLeft(bytes) - 1);
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

/**
 * The trace as a pcapng file. A packet stands there as its sender sent it and, once a copy, as the other host got it: as
 * the wire modified it, one hop less to go. What the wire did, and what the host's sockets and processes did meanwhile,
 * is in the comments of packets. `startedAtUs`: when the run began, in microseconds since 1970.
 * Throws a RangeError if the trace contradicts itself (a packet that is not hexadecimal, a host that it does not list).
 *
 * Wireshark takes a packet that it sees on a second interface for a retransmission. For one host's view, as tcpdump
 * would have it, save what its filter `frame.interface_name == "server"` shows as a file of its own.
 */
export function toPcapng(trace: Trace, startedAtUs: bigint): Uint8Array {
  const frames = framesOf(trace.events);
  const comments = commentOnFrames(trace, frames);
  const interfaces = new Map(trace.hosts.map(({ name }, i) => [name, i]));
  const packets = frames.map((frame): PcapngPacket => {
    const direction = directionOption(frame.event.fate === "sent" ? "outbound" : "inbound");
    const place = interfaces.get(frame.host);
    if (place === undefined) throw new RangeError(`the trace does not list its host ${frame.host}`);
    return {
      kind: "packet",
      interface: place,
      timestamp: startedAtUs + BigInt(Math.round(frame.event.tUs)),
      length: frame.record.length,
      bytes: bytesOf(frame),
      options: [...commentOptions(frame.comments), direction],
    };
  });
  const { os, application } = PCAPNG_OPTION.section;
  const system = [textOption(os, escapeForTerminal(trace.system)), textOption(application, "lastack")];
  return encodePcapng([
    { kind: "section", options: [...commentOptions(comments), ...system] },
    ...trace.hosts.map(interfaceOf),
    ...packets,
  ]);
}
