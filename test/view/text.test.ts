/** Text in the columns of a terminal. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { clip, NO_BREAK, renderLine, textWidth, wrap } from "../../src/view/ladder/text.ts";

const anyText = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.constantFrom("日本語", "e\u0301", "│ ─▶"));

test("CJK and emoji take two columns, accents that combine take none", () => {
  expect(["abc", "│─▶", "日本", "e\u0301", "👍", "ｱ"].map(textWidth)).toEqual([3, 3, 4, 1, 2, 1]);
});

test("clipped text is as wide as the room at most, and says that it was clipped", () => {
  expect(clip("ESTABLISHED", 5, "…")).toBe("ESTA…");
  expect(clip("ESTABLISHED", 11, "…")).toBe("ESTABLISHED");
  fc.assert(
    fc.property(anyText, fc.nat(30), (text, room) => {
      const clipped = clip(text, room, "...");
      expect(textWidth(clipped)).toBeLessThanOrEqual(room);
      if (room >= 3) expect(clipped === text || clipped.endsWith("...")).toBe(true);
    }),
  );
});

test("wrapped text loses nothing but the spaces that it is broken at", () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 2, max: 30 }), (text, room) => {
      const lines = wrap(text, room);
      for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(room);
      const letters = (some: string) => some.replace(/[ \u00a0]/g, "");
      expect(letters(lines.join(""))).toBe(letters(text));
    }),
  );
});

test("where there is no room at all, each character is a line", () => {
  expect([wrap("ab", 0), wrap("ab", -3)]).toEqual([
    ["a", "b"],
    ["a", "b"],
  ]);
});

test("words that belong together are broken only where they must", () => {
  const glued = ["=", "EADDRINUSE", "(98)"].join(NO_BREAK);
  expect(wrap(`bind 0.0.0.0:8000 ${glued}`, 20)).toEqual(["bind 0.0.0.0:8000", glued]);
  expect(wrap(`bind 0.0.0.0:8000 ${glued}`, 12)).toEqual(["bind", "0.0.0.0:8000", "= EADDRINUSE", "(98)"]);
  expect(renderLine([{ text: glued }], 80, false)).toBe("= EADDRINUSE (98)");
});

test("a line is cut at the width, and has no spaces at its end", () => {
  const line = [{ text: "one ", style: "bad" as const }, { text: "two   " }, { text: "  ", style: "dim" as const }];
  expect(renderLine(line, 80, false)).toBe("one two");
  expect(renderLine(line, 6, false)).toBe("one tw");
  expect(renderLine(line, 80, true)).toBe("\u001b[31mone \u001b[0mtwo");
});
