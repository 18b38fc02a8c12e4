/** Captures as Wireshark's own programs read them. */
import { execFileSync } from "node:child_process";
import { flagNames, type TcpFlag } from "../../src/codec/tcp.ts";

/** What Wireshark finds of a checksum; `unverified` where the packet was cut off. */
export type ChecksumStatus = "bad" | "good" | "unverified" | "not present";
const CHECKSUM_STATUS: readonly ChecksumStatus[] = ["bad", "good", "unverified", "not present"];

export interface CapturedFrame {
  /** The name of the interface. */
  interface: string;
  direction: "inbound" | "outbound" | undefined;
  /** Since 1970. */
  timeUs: bigint;
  source: string;
  destination: string;
  sourcePort: number;
  destinationPort: number;
  /** IPv4's time to live, IPv6's hop limit. */
  hopsLeft: number;
  /** Absolute. */
  seq: number;
  ack: number;
  flags: TcpFlag[];
  /** Of the TCP payload, in bytes. */
  payloadLength: number;
  /** Of the packet on the wire, in bytes, and how many of them the file has. */
  length: number;
  capturedLength: number;
  comments: string[];
  /** IPv6 has none. */
  ipChecksum: ChecksumStatus | undefined;
  tcpChecksum: ChecksumStatus;
  /** True if Wireshark calls the packet malformed. */
  malformed: boolean;
  /** What Wireshark finds strange about the packet among those before it. */
  analysis: Analysis[];
}

const ANALYSES = [
  "retransmission",
  "fast_retransmission",
  "spurious_retransmission",
  "out_of_order",
  "duplicate_ack",
  "lost_segment",
  "ack_lost_segment",
  "keep_alive",
] as const;
export type Analysis = (typeof ANALYSES)[number];

const FIELDS = [
  "frame.interface_name",
  "frame.packet_flags_direction",
  "frame.time_epoch",
  "ip.src",
  "ip.dst",
  "ip.ttl",
  "ip.checksum.status",
  "ipv6.src",
  "ipv6.dst",
  "ipv6.hlim",
  "tcp.srcport",
  "tcp.dstport",
  "tcp.seq_raw",
  "tcp.ack_raw",
  "tcp.flags",
  "tcp.len",
  "tcp.checksum.status",
  "frame.len",
  "frame.cap_len",
  "frame.comment",
  "_ws.malformed",
  ...ANALYSES.map((name) => `tcp.analysis.${name}` as const),
] as const;

/** By field, all the values that a packet has of it. */
type Layers = Partial<Record<(typeof FIELDS)[number], string[]>>;

const STRICT = ["ip.check_checksum:TRUE", "tcp.check_checksum:TRUE"];

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: "utf8", maxBuffer: 2 ** 28, stdio: ["ignore", "pipe", "pipe"] });
}

function microseconds(epoch: string): bigint {
  const [seconds, fraction = ""] = epoch.split(".");
  return BigInt(seconds!) * 1_000_000n + BigInt(fraction.padEnd(6, "0").slice(0, 6));
}

function frameOf(layers: Layers): CapturedFrame {
  const first = (...fields: (typeof FIELDS)[number][]) => fields.map((field) => layers[field]?.[0]).find(Boolean);
  const number = (...fields: (typeof FIELDS)[number][]) => Number(first(...fields));
  const ipStatus = first("ip.checksum.status");
  const direction = ({ "0x00000001": "inbound", "0x00000002": "outbound" } as const)[
    first("frame.packet_flags_direction") ?? ""
  ];
  return {
    interface: first("frame.interface_name")!,
    direction,
    timeUs: microseconds(first("frame.time_epoch")!),
    source: first("ip.src", "ipv6.src")!,
    destination: first("ip.dst", "ipv6.dst")!,
    sourcePort: number("tcp.srcport"),
    destinationPort: number("tcp.dstport"),
    hopsLeft: number("ip.ttl", "ipv6.hlim"),
    seq: number("tcp.seq_raw"),
    ack: number("tcp.ack_raw"),
    flags: flagNames(number("tcp.flags")),
    payloadLength: number("tcp.len"),
    length: number("frame.len"),
    capturedLength: number("frame.cap_len"),
    comments: layers["frame.comment"] ?? [],
    ipChecksum: ipStatus === undefined ? undefined : CHECKSUM_STATUS[Number(ipStatus)],
    tcpChecksum: CHECKSUM_STATUS[number("tcp.checksum.status")]!,
    malformed: layers["_ws.malformed"] !== undefined,
    analysis: ANALYSES.filter((name) => layers[`tcp.analysis.${name}`] !== undefined),
  };
}

/** The packets of a capture file, as tshark dissects them. Throws if tshark complains of the file. */
export function readCapture(file: string): CapturedFrame[] {
  const fields = FIELDS.flatMap((field) => ["-e", field]);
  const output = run(
    "tshark",
    "-n",
    "-r",
    file,
    ...STRICT.flatMap((option) => ["-o", option]),
    "-T",
    "json",
    ...fields,
  );
  return (JSON.parse(output) as { _source: { layers: Layers } }[]).map(({ _source }) => frameOf(_source.layers));
}

/** What Wireshark's expert says of the packets, as tshark lists it. */
export function expertInfo(file: string): string {
  return run("tshark", "-n", "-r", file, "-q", ...STRICT.flatMap((option) => ["-o", option]), "-z", "expert");
}

/** What capinfos says of the file. */
export function describeCapture(file: string): string {
  return run("capinfos", file);
}
