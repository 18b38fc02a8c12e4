import fc from "fast-check";
import { expect, test } from "vitest";
import {
  decodeInetDiagMessage,
  encodeDestroyRequest,
  encodeDumpRequest,
  encodeInetDiagMessage,
  encodeLookupRequest,
  INET_DIAG_INFO,
  INET_DIAG_MSG_LENGTH,
  type InetDiagMessage,
} from "../../src/codec/inet-diag.ts";
import { toTcpSocket } from "../../src/codec/tcp-socket.ts";
import { bytes } from "../support/bytes.ts";

// A TIME-WAIT of 127.0.0.1:8000 as Linux 6.18 sent it, field by field (include/uapi/linux/inet_diag.h).
const TIME_WAIT = bytes(
  [
    "02 06 03 00", // family AF_INET, state 6, timer 3, retransmits 0
    "1f40 ad52", // source port 8000, destination port 44370
    "7f000001 000000000000000000000000", // source
    "7f000001 000000000000000000000000", // destination
    "00000000 92d6040000000000", // interface, cookie
    "60ea0000", // expires: 60,000 ms
    "05000000 06000000 07000000 00000000", // Recv-Q, Send-Q, uid, inode
    "0500 0800 03 000000", // INET_DIAG_SHUTDOWN 3
  ].join(""),
);

const RECORD: InetDiagMessage = {
  family: 2,
  state: 6,
  timer: 3,
  retransmits: 0,
  sourcePort: 8000,
  destinationPort: 44370,
  source: Uint8Array.of(127, 0, 0, 1),
  destination: Uint8Array.of(127, 0, 0, 1),
  interfaceIndex: 0,
  cookie: 0x4d692n,
  expiresMs: 60000,
  receiveQueue: 5,
  sendQueue: 6,
  uid: 7,
  inode: 0,
  attributes: [{ type: 8, value: Uint8Array.of(3) }],
};

test("a socket's bytes are decoded field by field, and encoded the same", () => {
  expect(decodeInetDiagMessage(TIME_WAIT)).toEqual({ ok: true, value: RECORD });
  expect(encodeInetDiagMessage(RECORD)).toEqual(TIME_WAIT);
});

test("in people's terms it is a TIME-WAIT with a minute left, of no user and no process", () => {
  expect(toTcpSocket(RECORD)).toEqual({
    protocol: "tcp4",
    state: "TIME-WAIT",
    local: { address: "127.0.0.1", port: 8000 },
    peer: { address: "127.0.0.1", port: 44370 },
    interfaceIndex: 0,
    receiveQueue: 5,
    sendQueue: 6,
    timer: { kind: "timewait", leftMs: 60000, retransmits: 0 },
    uid: null,
    inode: 0,
    cookie: 0x4d692n,
    shutdown: 3,
  });
});

test("cut off anywhere it is called truncated, except behind the last whole attribute", () => {
  for (let length = 0; length < TIME_WAIT.length; length++) {
    const result = decodeInetDiagMessage(TIME_WAIT.subarray(0, length));
    const whole = length === INET_DIAG_MSG_LENGTH || length >= INET_DIAG_MSG_LENGTH + 5;
    if (whole) expect(result.ok, String(length)).toBe(true);
    else expect(result, String(length)).toMatchObject({ ok: false, error: { code: "truncated" } });
  }
});

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u8 = fc.integer({ min: 0, max: 255 });
const message: fc.Arbitrary<InetDiagMessage> = fc.constantFrom(2, 10).chain((family) => {
  const length = family === 2 ? 4 : 16;
  const address = fc.uint8Array({ minLength: length, maxLength: length });
  return fc.record({
    family: fc.constant(family),
    state: u8,
    timer: u8,
    retransmits: u8,
    sourcePort: u16,
    destinationPort: u16,
    source: address,
    destination: address,
    interfaceIndex: u32,
    cookie: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    expiresMs: u32,
    receiveQueue: u32,
    sendQueue: u32,
    uid: u32,
    inode: u32,
    attributes: fc.array(fc.record({ type: u16, value: fc.uint8Array({ maxLength: 30 }) }), { maxLength: 4 }),
  });
});

test("any socket survives encoding and decoding", () => {
  fc.assert(
    fc.property(message, (socket) => {
      expect(decodeInetDiagMessage(encodeInetDiagMessage(socket))).toEqual({ ok: true, value: socket });
    }),
    { numRuns: 1000 },
  );
});

test("both families in one walk are asked for by the legacy message, one family by the new one", () => {
  expect(encodeDumpRequest({ family: "both", states: 0x3ffe, extensions: [INET_DIAG_INFO], seq: 5 })).toEqual(
    bytes(`4c000000 1200 0103 05000000 00000000  02 00 00 02 ${"00".repeat(48)} fe3f0000 00000000`),
  );
  expect(encodeDumpRequest({ family: 10, states: 1 << 10, seq: 6, bytecode: bytes("01020304") })).toEqual(
    bytes(`50000000 1400 0103 06000000 00000000  0a 06 00 00 00040000 ${"00".repeat(48)} 0800 0100 01020304`),
  );
  expect(encodeDumpRequest({ family: "both", states: 0x3ffe, localPort: 8000, seq: 7 })).toEqual(
    bytes(`4c000000 1200 0103 07000000 00000000  02 00 00 00 1f40 ${"00".repeat(46)} fe3f0000 00000000`),
  );
});

test("one socket is looked up and ended by its ports, addresses, interface and cookie", () => {
  const id = "1f40 ad52 7f000001 000000000000000000000000 7f000001 000000000000000000000000 00000000 92d6040000000000";
  expect(encodeLookupRequest({ family: 2, id: RECORD, seq: 7 })).toEqual(
    bytes(`48000000 1400 0100 07000000 00000000  02 06 00 00 ffffffff ${id}`),
  );
  expect(encodeDestroyRequest({ family: 2, id: RECORD, seq: 8 })).toEqual(
    bytes(`48000000 1500 0500 08000000 00000000  02 06 00 00 ffffffff ${id}`),
  );
});

test("a dual-stack listener is a star, a v6-only one is not, a v4-mapped connection says what it carries", () => {
  const zero = new Uint8Array(16);
  const listener: InetDiagMessage = {
    ...RECORD,
    family: 10,
    state: 10,
    source: zero,
    destination: zero,
    destinationPort: 0,
    attributes: [{ type: 11, value: Uint8Array.of(0) }],
  };
  expect(toTcpSocket(listener)).toMatchObject({
    protocol: "tcp46",
    v6only: false,
    local: { address: "*", port: 8000 },
  });
  const v6only = { ...listener, attributes: [{ type: 11, value: Uint8Array.of(1) }] };
  expect(toTcpSocket(v6only)).toMatchObject({ protocol: "tcp6", v6only: true, local: { address: "::" } });
  expect(toTcpSocket({ ...listener, attributes: [] })).toMatchObject({ protocol: "tcp6", local: { address: "::" } });
  const mapped = bytes("00000000000000000000ffff7f000001");
  expect(toTcpSocket({ ...listener, state: 1, source: mapped, destination: mapped })).toMatchObject({
    protocol: "tcp46",
    local: { address: "::ffff:127.0.0.1" },
  });
});
