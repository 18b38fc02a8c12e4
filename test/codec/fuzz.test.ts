/** Untrusted bytes: 100,000 random inputs to each decoder, most of them mutations of what is really sent. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Decoded } from "../../src/codec/decoded.ts";
import { decodeInetDiagMessage } from "../../src/codec/inet-diag.ts";
import { decodeIp } from "../../src/codec/ip.ts";
import { decodeAttributes, decodeNetlinkAnswer, decodeNetlinkMessages, NLM_F_ACK_TLVS } from "../../src/codec/nlmsg.ts";
import { decodePacket, encodePacket, hasGoodChecksum } from "../../src/codec/packet.ts";
import { decodePcapng } from "../../src/codec/pcapng.ts";
import { decodeProcNetTcp } from "../../src/codec/proc-net-tcp.ts";
import { seq } from "../../src/codec/seq.ts";
import { decodeSockaddr } from "../../src/codec/sockaddr.ts";
import { decodeTcpInfo } from "../../src/codec/tcp-info.ts";
import { toTcpSocket } from "../../src/codec/tcp-socket.ts";
import { decodeTcp } from "../../src/codec/tcp.ts";
import { toPcapng } from "../../src/view/capture.ts";
import { bytes, surrounded } from "../support/bytes.ts";
import { generator, seed } from "../support/random.ts";
import { packetOf, SYN } from "../support/packets.ts";
import { TraceBuilder } from "../support/trace-builder.ts";

const RUNS = 100_000;

const folder = new URL("../fixtures/kernel-replies/", import.meta.url);
const recorded = readdirSync(folder).flatMap((file) => {
  const { dump, details, missing } = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Record<
    string,
    string[]
  >;
  return [...dump!, ...details!, ...missing!].map(bytes);
});

/** What a decoder's inputs are made of. */
interface Sources {
  whole: readonly Uint8Array[];
  /** Where in them something begins that the decoder reads. */
  starts: readonly number[];
}

/** At a header, at the message behind it, or at its attributes. */
const REPLIES: Sources = { whole: recorded, starts: [0, 16, 88] };

const PACKETS: Sources = {
  whole: (["client", "server"] as const).flatMap((from) =>
    ([4, 6] as const).map((version) =>
      encodePacket(
        packetOf({
          from,
          version,
          flags: ["SYN", "ACK"],
          seq: 0xfffffff0,
          data: "hello",
          options: [
            { kind: "mss", value: 1460 },
            { kind: "sack", blocks: [[seq(1), seq(2)]] },
            { kind: "timestamps", value: 1, echo: 2 },
            { kind: "unknown", number: 34, data: Uint8Array.of(1, 2, 3) },
          ],
        }),
      ),
    ),
  ),
  starts: [0, 0],
};
/** The same without the IP header. */
const SEGMENTS: Sources = {
  whole: PACKETS.whole.map((packet) => packet.slice(packet[0] === 0x60 ? 40 : 20)),
  starts: [0, 0],
};

const captured = new TraceBuilder().exchanged(0, SYN);
captured.fate(1, "dropped");
const CAPTURES: Sources = {
  whole: [toPcapng(captured.trace, 1_750_000_000_000_000n)],
  starts: [0, 0, 0],
};

/** A piece of a source with some bytes changed, or noise. */
function input(random: () => number, { whole, starts }: Sources): Uint8Array {
  const pick = (below: number) => Math.floor(random() * below);
  if (random() < 0.1) return Uint8Array.from({ length: pick(200) }, () => pick(256));
  const source = whole[pick(whole.length)]!;
  const start = [...starts, pick(source.length)][pick(starts.length + 1)]!;
  const piece = source.slice(start, start + pick(Math.max(300, source.length + 1)));
  for (let changes = pick(4); changes > 0 && piece.length > 0; changes--) {
    piece[pick(piece.length)] = random() < 0.3 ? [0, 1, 255][pick(3)]! : pick(256);
  }
  return piece;
}

function text(random: () => number): string {
  const row =
    "   1: 0100007F:1F40 0100007F:AD52 06 00000006:00000005 03:00001770 00000000     7        0 0 3 00000000f8a3e2d1";
  const characters = [...`heading\n${row}\n`];
  for (let changes = Math.floor(random() * 4); changes > 0; changes--) {
    characters[Math.floor(random() * characters.length)] = String.fromCharCode(Math.floor(random() * 128));
  }
  return characters.join("");
}

const plain = (value: unknown) =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? String(part) : part));

interface Decoder {
  decode: (input: Uint8Array) => unknown;
  sources: Sources;
}

const DECODERS: Record<string, Decoder> = {
  decodeNetlinkMessages: { decode: decodeNetlinkMessages, sources: REPLIES },
  decodeAttributes: { decode: decodeAttributes, sources: REPLIES },
  decodeNetlinkAnswer: {
    decode: (payload) =>
      decodeNetlinkAnswer({ type: 2, flags: payload[0]! & 1 ? NLM_F_ACK_TLVS : 0, seq: 0, pid: 0, payload }),
    sources: REPLIES,
  },
  decodeSockaddr: { decode: decodeSockaddr, sources: REPLIES },
  decodeTcpInfo: { decode: decodeTcpInfo, sources: REPLIES },
  decodeInetDiagMessage: {
    decode: (payload) => {
      const result = decodeInetDiagMessage(payload);
      return result.ok ? toTcpSocket(result.value) : result;
    },
    sources: REPLIES,
  },
  decodeIp: { decode: decodeIp, sources: PACKETS },
  decodeTcp: { decode: decodeTcp, sources: SEGMENTS },
  decodePacket: {
    decode: (packet) => {
      const good = hasGoodChecksum(packet);
      const result = decodePacket(packet);
      // What can be read can be written.
      return result.ok ? { good, again: encodePacket(result.value), ...result } : result;
    },
    sources: PACKETS,
  },
  decodePcapng: { decode: decodePcapng, sources: CAPTURES },
};

test.each(Object.keys(DECODERS))("%s throws on no input, and never reads outside it", (name) => {
  const { decode, sources } = DECODERS[name]!;
  const random = generator();
  let errors = 0;
  for (let run = 0; run < RUNS; run++) {
    const piece = input(random, sources);
    const first = decode(surrounded(piece, 0xa5));
    if ((first as Decoded<unknown>).ok === false) errors++;
    // Twice with other surroundings, now and then: comparing costs more than decoding.
    if (run % 10 === 0) {
      const other = decode(surrounded(piece, 0x5a));
      if (plain(first) !== plain(other))
        throw new Error(`seed ${seed}: reads outside ${Buffer.from(piece).toString("hex")}`);
    }
  }
  if (name !== "decodeTcpInfo") expect(errors).toBeGreaterThan(RUNS / 100);
  expect(errors).toBeLessThan(RUNS);
});

test("decodeProcNetTcp throws on no text", () => {
  const random = generator();
  let errors = 0;
  for (let run = 0; run < RUNS; run++) if (!decodeProcNetTcp(text(random)).ok) errors++;
  expect(errors).toBeGreaterThan(RUNS / 100);
  expect(errors).toBeLessThan(RUNS);
});
