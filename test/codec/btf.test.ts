import { describe, expect, test } from "vitest";
import { lookUpBtf } from "../../src/codec/btf.ts";
import { smallBtf } from "../support/btf.ts";

const MEMBERS = ["file.f_mode", "file.f_inode"];

describe("lookUpBtf", () => {
  test("finds a function's id, and the members of a structure among all kinds of types", () => {
    expect(lookUpBtf(smallBtf(), "iterate", MEMBERS)).toEqual({
      ok: true,
      value: {
        functionId: 20,
        offsets: new Map([
          ["file.f_mode", 4],
          ["file.f_inode", 32],
        ]),
      },
    });
  });

  test("what is not there is absent: a variable of that name is no function, a union no structure", () => {
    const found = lookUpBtf(smallBtf(), "file", ["file.nonsense", "choice.f_mode", "nonsense.f_mode"]);
    expect(found).toEqual({ ok: true, value: { functionId: undefined, offsets: new Map() } });
  });

  test("cut short, it says so at every length", () => {
    const whole = smallBtf();
    for (let length = 0; length < whole.length; length++) {
      expect(lookUpBtf(whole.subarray(0, length), "iterate", MEMBERS).ok, `${length} bytes`).toBe(false);
    }
  });

  test("a kind of type that is not known ends it: where the next one begins can't be told", () => {
    const bytes = smallBtf();
    new DataView(bytes.buffer).setUint32(24 + 4, 31 << 24, true); // the info of the first type
    expect(lookUpBtf(bytes, "iterate", MEMBERS)).toEqual({
      ok: false,
      error: { code: "bad-value", layer: "btf", offset: 24, need: 20, have: 31 },
    });
  });

  test("other bytes are not taken for it", () => {
    expect(lookUpBtf(new Uint8Array(100), "iterate", MEMBERS)).toMatchObject({ error: { code: "bad-value", have: 0 } });
  });
});
