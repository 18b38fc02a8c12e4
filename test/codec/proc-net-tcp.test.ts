import { expect, test } from "vitest";
import { decodeProcNetTcp, decodeProcNetTcpRow } from "../../src/codec/proc-net-tcp.ts";
import { bytes } from "../support/bytes.ts";

const HEADING =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     ";
const TIME_WAIT =
  "   1: 0100007F:1F40 0100007F:AD52 06 00000006:00000005 03:00001770 00000000     7        0 0 3 00000000f8a3e2d1                                      ";
const LISTEN6 =
  "   0: 00000000000000000000000001000000:1F41 00000000000000000000000000000000:0000 0A 00000000:00000002 00:00000000 00000000  1000        0 4242 1 00000000124b0cb4 100 0 0 10 0";

test("a row has the fields that netlink has, addresses in network order, times in milliseconds", () => {
  expect(decodeProcNetTcpRow(TIME_WAIT)).toEqual({
    ok: true,
    value: {
      family: 2,
      state: 6,
      timer: 3,
      retransmits: 0,
      sourcePort: 8000,
      destinationPort: 44370,
      source: bytes("7f000001"),
      destination: bytes("7f000001"),
      interfaceIndex: 0,
      cookie: 0n,
      expiresMs: 60_000,
      receiveQueue: 5,
      sendQueue: 6,
      uid: 7,
      inode: 0,
      attributes: [],
    },
  });
  expect(decodeProcNetTcpRow(LISTEN6)).toMatchObject({
    ok: true,
    value: {
      family: 10,
      state: 10,
      source: bytes("00000000000000000000000000000001"),
      uid: 1000,
      inode: 4242,
      receiveQueue: 2,
    },
  });
});

test("a whole file has a heading, and an error says where", () => {
  expect(decodeProcNetTcp(`${HEADING}\n${TIME_WAIT}\n`)).toMatchObject({ ok: true, value: [{ sourcePort: 8000 }] });
  expect(decodeProcNetTcp(`${HEADING}\n`)).toEqual({ ok: true, value: [] });
  expect(decodeProcNetTcp(`${HEADING}\n${TIME_WAIT}\nnonsense\n`)).toMatchObject({
    ok: false,
    error: { code: "bad-text", layer: "proc-net-tcp", offset: HEADING.length + TIME_WAIT.length + 2 },
  });
});

test("a row cut off before its inode is an error, whatever is left of it", () => {
  const needed = TIME_WAIT.indexOf(" 3 0000");
  for (let length = 0; length < needed - 1; length++) {
    expect(decodeProcNetTcpRow(TIME_WAIT.slice(0, length)).ok, TIME_WAIT.slice(0, length)).toBe(false);
  }
});

test("impossible values are errors", () => {
  for (const [good, bad] of [
    ["0100007F:1F40", "0100007:1F40"],
    ["06 0000", "6 0000"],
    ["0100007F:AD52", "0100007G:AD52"],
  ]) {
    expect(decodeProcNetTcpRow(TIME_WAIT.replace(good!, bad!)).ok).toBe(false);
  }
});
