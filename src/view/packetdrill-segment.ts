/** Segments in packetdrill's notation: `F. 1:1(0) ack 1 win 257 <nop,nop,TS val 1 ecr 2>`. */
import { fromHex } from "../codec/hex.ts";
import { decodePacket } from "../codec/packet.ts";
import { seq, seqDiff } from "../codec/seq.ts";
import type { TcpOption } from "../codec/tcp.ts";
import type { RelativeNumbers } from "../codec/numbering.ts";
import type { SegmentRecord } from "../trace/trace.ts";

/** In the order of packetdrill's own scripts; ACK is the point at the end. */
const FLAG_LETTERS = { SYN: "S", FIN: "F", RST: "R", PSH: "P", URG: "U", ECE: "E", CWR: "W" };

function flagsText(flags: readonly string[]): string {
  const letters = Object.entries(FLAG_LETTERS).map(([flag, letter]) => (flags.includes(flag) ? letter : ""));
  return letters.join("") + (flags.includes("ACK") ? "." : "") || "-";
}

/** No packet is longer: IPv6's header and what its length field can say. */
const LONGEST = 40 + 0xffff;

/** The options; undefined where the packet's bytes are no packet. What the snap length cut off counts as zeros. */
function optionsOf({ bytes, length }: SegmentRecord): readonly TcpOption[] | undefined {
  const recorded = fromHex(bytes);
  if (!recorded || !(length <= LONGEST) || length < recorded.length) return undefined;
  const whole = new Uint8Array(length);
  whole.set(recorded);
  const packet = decodePacket(whole);
  return packet.ok ? packet.value.tcp.options : undefined;
}

/** Undefined for an option that the notation has no word for. */
function optionText(option: TcpOption, { ack }: SegmentRecord, relative: RelativeNumbers): string | undefined {
  switch (option.kind) {
    case "nop":
      return "nop";
    case "mss":
      return `mss ${option.value}`;
    case "windowScale":
      return `wscale ${option.shift}`;
    case "sackPermitted":
      return "sackOK";
    case "sack": {
      // Blocks number the peer's data, as the acknowledgement does.
      const edge = (number: number) => (relative.ack ?? 0) + seqDiff(seq(number), seq(ack));
      return `sack ${option.blocks.map(([start, end]) => `${edge(start)}:${edge(end)}`).join(" ")}`;
    }
    case "timestamps":
      return `TS val ${option.value} ecr ${option.echo}`;
    case "unknown":
      return undefined;
  }
}

function optionsText(record: SegmentRecord, relative: RelativeNumbers): string {
  const texts = optionsOf(record)?.map((option) => optionText(option, record, relative));
  if (!texts || texts.includes(undefined)) return " <...>";
  return texts.length === 0 ? "" : ` <${texts.join(",")}>`;
}

/** A segment without its direction. */
export function packetdrillSegment(record: SegmentRecord, relative: RelativeNumbers): string {
  const { payloadLength, window } = record;
  const range = `${relative.seq}:${relative.seq + payloadLength}(${payloadLength})`;
  const ack = relative.ack === undefined ? "" : ` ack ${relative.ack}`;
  return `${flagsText(record.flags)} ${range}${ack} win ${window}${optionsText(record, relative)}`;
}
