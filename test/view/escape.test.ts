/** Other people's text in JSON. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { toJson } from "../../src/view/escape.ts";

// eslint-disable-next-line no-control-regex
const HARMFUL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

test("JSON holds any text exactly, and nothing that a terminal obeys", () => {
  expect(toJson({ "a\u009b": "\u202e\u007f\n\\" })).toBe(String.raw`{"a\u009b":"\u202e\u007f\n\\"}`);
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("\u001b[2J", "\u009b1m", "\u2028", "\u202egpj"));
  fc.assert(
    fc.property(fc.dictionary(text, fc.array(text)), fc.constantFrom(undefined, 2), (value, indent) => {
      const json = toJson(value, indent);
      expect(json).not.toMatch(HARMFUL);
      expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
