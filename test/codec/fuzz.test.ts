/** Untrusted bytes: 100,000 random inputs to each decoder, most of them mutations of what a kernel really sends. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Decoded } from "../../src/codec/decoded.ts";
import { decodeInetDiagMessage } from "../../src/codec/inet-diag.ts";
import { decodeAttributes, decodeNetlinkAnswer, decodeNetlinkMessages, NLM_F_ACK_TLVS } from "../../src/codec/nlmsg.ts";
import { decodeProcNetTcp } from "../../src/codec/proc-net-tcp.ts";
import { decodeSockaddr } from "../../src/codec/sockaddr.ts";
import { decodeTcpInfo } from "../../src/codec/tcp-info.ts";
import { toTcpSocket } from "../../src/codec/tcp-socket.ts";
import { bytes, surrounded } from "../support/bytes.ts";
import { generator, seed } from "../support/random.ts";

const RUNS = 100_000;

const folder = new URL("../fixtures/kernel-replies/", import.meta.url);
const recorded = readdirSync(folder).flatMap((file) => {
  const { dump, details, missing } = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Record<
    string,
    string[]
  >;
  return [...dump!, ...details!, ...missing!].map(bytes);
});

/** A piece of a recorded reply with some bytes changed, or noise. */
function input(random: () => number): Uint8Array {
  const pick = (below: number) => Math.floor(random() * below);
  if (random() < 0.1) return Uint8Array.from({ length: pick(200) }, () => pick(256));
  const source = recorded[pick(recorded.length)]!;
  // Starting at a header, at the message behind it, or at its attributes.
  const start = [0, 16, 88, pick(source.length)][pick(4)]!;
  const piece = source.slice(start, start + pick(300));
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

const DECODERS: Record<string, (input: Uint8Array) => unknown> = {
  decodeNetlinkMessages,
  decodeAttributes,
  decodeNetlinkAnswer: (payload) =>
    decodeNetlinkAnswer({ type: 2, flags: payload[0]! & 1 ? NLM_F_ACK_TLVS : 0, seq: 0, pid: 0, payload }),
  decodeSockaddr,
  decodeTcpInfo,
  decodeInetDiagMessage: (payload) => {
    const result = decodeInetDiagMessage(payload);
    return result.ok ? toTcpSocket(result.value) : result;
  },
};

test.each(Object.keys(DECODERS))("%s throws on no input, and never reads outside it", (name) => {
  const decode = DECODERS[name]!;
  const random = generator();
  let errors = 0;
  for (let run = 0; run < RUNS; run++) {
    const piece = input(random);
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
