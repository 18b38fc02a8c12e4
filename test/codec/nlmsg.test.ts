import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeAttributes,
  decodeNetlinkAnswer,
  decodeNetlinkMessages,
  encodeAttributes,
  encodeNetlinkMessage,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLMSG_DONE,
  NLMSG_ERROR,
} from "../../src/codec/nlmsg.ts";
import { bytes } from "../support/bytes.ts";

//                    length   type flags seq      pid      payload
const TWO = bytes(`15000000 1400 0200 07000000 99000000 0102030405 000000
                   14000000 0300 0200 07000000 99000000 00000000`);

describe("messages", () => {
  test("two in one datagram, the first padded", () => {
    expect(decodeNetlinkMessages(TWO)).toEqual({
      ok: true,
      value: [
        { type: 20, flags: 2, seq: 7, pid: 0x99, payload: bytes("0102030405") },
        { type: NLMSG_DONE, flags: 2, seq: 7, pid: 0x99, payload: bytes("00000000") },
      ],
    });
  });

  test("cut off anywhere but between them they are called truncated", () => {
    for (let length = 1; length < TWO.length; length++) {
      const result = decodeNetlinkMessages(TWO.subarray(0, length));
      // The padding after the first message may be missing: it says nothing.
      if (length >= 21 && length <= 24) expect(result).toMatchObject({ ok: true });
      else expect(result, String(length)).toMatchObject({ ok: false, error: { code: "truncated", layer: "nlmsg" } });
    }
  });

  test("a length shorter than the header is impossible, one longer than the input is truncation", () => {
    for (let claimed = 0; claimed < 16; claimed++) {
      const wrong = TWO.slice();
      wrong[0] = claimed;
      expect(decodeNetlinkMessages(wrong)).toMatchObject({
        ok: false,
        error: { code: "bad-length", offset: 0, have: claimed },
      });
    }
    const long = TWO.slice();
    long.set([0xff, 0xff, 0xff, 0xff]);
    expect(decodeNetlinkMessages(long)).toMatchObject({ ok: false, error: { code: "truncated", need: 0xffffffff } });
  });

  test("survive encoding and decoding", () => {
    const u16 = fc.nat(0xffff);
    const u32 = fc.nat(0x7fffffff);
    const message = fc.record({ type: u16, flags: u16, seq: u32, pid: u32, payload: fc.uint8Array({ maxLength: 64 }) });
    fc.assert(
      fc.property(message, (value) => {
        expect(decodeNetlinkMessages(encodeNetlinkMessage(value))).toEqual({ ok: true, value: [value] });
      }),
    );
  });
});

describe("attributes", () => {
  test("unknown types are kept", () => {
    expect(decodeAttributes(bytes("0500 ff7f 2a 000000 0800 0100 01020304"))).toEqual({
      ok: true,
      value: [
        { type: 0x7fff, value: bytes("2a") },
        { type: 1, value: bytes("01020304") },
      ],
    });
  });

  test("survive encoding and decoding", () => {
    const attribute = fc.record({ type: fc.nat(0xffff), value: fc.uint8Array({ maxLength: 40 }) });
    fc.assert(
      fc.property(fc.array(attribute, { maxLength: 8 }), (list) => {
        expect(decodeAttributes(encodeAttributes(list))).toEqual({ ok: true, value: list });
      }),
    );
  });

  test("impossible and truncated lengths are told apart", () => {
    expect(decodeAttributes(bytes("0300 0100"))).toMatchObject({
      ok: false,
      error: { code: "bad-length", layer: "nlattr" },
    });
    expect(decodeAttributes(bytes("0900 0100 01020304"))).toMatchObject({
      ok: false,
      error: { code: "truncated", need: 9 },
    });
    expect(decodeAttributes(bytes("0900 01"))).toMatchObject({
      ok: false,
      error: { code: "truncated", need: 4, have: 3 },
    });
  });
});

describe("answers", () => {
  const answer = (type: number, flags: number, hex: string) =>
    decodeNetlinkAnswer({ type, flags, seq: 1, pid: 0, payload: bytes(hex) });

  test("errno is positive, an acknowledgement is 0", () => {
    expect(answer(NLMSG_ERROR, 0, "feffffff 4c000000 1400 0103 01000000 00000000")).toEqual({
      ok: true,
      value: { errno: 2 },
    });
    expect(answer(NLMSG_ERROR, 0, "00000000 4c000000 1500 0500 01000000 00000000")).toEqual({
      ok: true,
      value: { errno: 0 },
    });
    expect(answer(NLMSG_DONE, 0, "00000000")).toEqual({ ok: true, value: { errno: 0 } });
    expect(answer(NLMSG_DONE, 0, "")).toEqual({ ok: true, value: { errno: 0 } });
    expect(answer(NLMSG_ERROR, 0, "feff")).toMatchObject({ ok: false, error: { code: "truncated" } });
  });

  test("the kernel's own sentence is found behind a capped request and behind a whole one", () => {
    const text = "0900 0100 6e6f210000000000"; // NLMSGERR_ATTR_MSG "no!"
    const header = "4c000000 1400 0103 01000000 00000000";
    const expected = { ok: true, value: { errno: 22, text: "no!" } };
    expect(answer(NLMSG_ERROR, NLM_F_ACK_TLVS | NLM_F_CAPPED, `eaffffff ${header} ${text}`)).toEqual(expected);
    const whole = `eaffffff 14000000 1400 0103 01000000 00000000 aabbccdd ${text}`;
    expect(answer(NLMSG_ERROR, NLM_F_ACK_TLVS, whole)).toEqual(expected);
    expect(answer(NLMSG_DONE, NLM_F_ACK_TLVS, `eaffffff ${text}`)).toEqual(expected);
  });
});
